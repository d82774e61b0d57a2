#include "test/bit/models.h"
#include "test/catch.h"

#include <libzoo/bit/inputs.h>
#include <libzoo/bit/losses.h>
#include <libzoo/bit/training.h>

using namespace zoo;
using namespace zoo::bit;
using namespace zoo::test;

namespace {

const nn::ResNetV2Options kSmall{.units = {1}, .width = 0.5, .num_classes = 4};

MixedBatch batch(double lambda = 1) {
  at::manual_seed(3);
  return {at::randn({3, 3, 16, 16}), at::tensor({0, 1, 3}, at::kLong), at::tensor({2, 1, 0}, at::kLong), lambda};
}

data::Loader shapes(int64_t batch_size) {
  data::LoaderOptions options;
  options.workers = 0;
  const auto set = data::open_dataset(data::ShapesOptions{.per_class = 1, .image_size = 16});  // 24 classes
  return training_data(set, {.precrop = 16, .crop = 16}, batch_size, options, 1);
}

}  // namespace

TEST_CASE("The sigmoid loss is a yes for the class, weighed by MixUp, and a no for all others", "[bit]") {
  auto model = random_model(kSmall);
  const auto mixed = batch(0.75);
  const auto logits = model->forward(mixed.images);
  const auto targets = at::tensor({0.75, 0., 0.25, 0., 0., 1., 0., 0., 0.25, 0., 0., 0.75}).view({3, 4}).to(at::kFloat);
  REQUIRE(at::allclose(sigmoid_loss()(model, mixed), sigmoid_cross_entropy(logits, targets).mean()));
}

TEST_CASE("Distillation is at its minimum, without a gradient, where the student is its teacher", "[bit]") {
  auto teacher = random_model(kSmall);
  auto student = random_model(kSmall);
  const auto loss = distillation(teacher, 2.0);
  REQUIRE(loss(student, batch()).item<float>() > 1e-3);
  const auto least = loss(teacher, batch());
  REQUIRE(least.item<float>() == Approx(0).margin(1e-6));
  least.backward();
  REQUIRE(teacher->named_parameters()["head.conv.weight"].grad().abs().max().item<float>() < 1e-6);
}

TEST_CASE("Micro-batches give the gradient of their pictures together", "[bit]") {
  const auto gradient = [](int64_t split) {
    nn::ResNetV2 model(nn::ResNetV2Options{.units = {1}, .width = 0.5, .num_classes = 24});
    auto batches = shapes(24 / split);
    accumulate_gradients(model, batches, split, 0, {}, at::kCPU);
    return model->named_parameters()["head.conv.weight"].grad();
  };
  const auto whole = gradient(1);
  REQUIRE(at::allclose(gradient(2), whole, 1e-4, 1e-6));
  REQUIRE(at::allclose(gradient(4), whole, 1e-4, 1e-6));
}

TEST_CASE("Features are those that the head sees, with the labels beside them, in order", "[bit]") {
  auto model = random_model(kSmall);
  const auto set = data::open_dataset(data::ShapesOptions{.per_class = 1, .image_size = 16});
  const auto found = extract_features(model, evaluation_batches(set, {.size = 16}, 7, {}), at::kCPU);
  REQUIRE(found.values.sizes() == at::IntArrayRef({24, 128}));
  for (int64_t i = 0; i < 24; ++i) REQUIRE(found.labels[i].item<int64_t>() == set->label(i));
  const auto whole = evaluation_batches(set, {.size = 16}, 24, {}).next();
  at::NoGradGuard no_grad;
  REQUIRE(at::allclose(found.values, model->features(whole->images), 1e-4, 1e-4));
}
