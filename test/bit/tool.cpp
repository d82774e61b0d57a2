// bit-tool: what timm_interop.py and timm_finetune.py need of the library.
//   bit-tool convert IN OUT ours|official|timm|hf|big_vision
//   bit-tool logits CHECKPOINT IN.safetensors OUT.safetensors      tensor x [n, 3, h, w] -> tensor logits [n, classes]
//   bit-tool finetune CHECKPOINT STEPS OUT.safetensors             by HyperRule on 10 classes of 32x32 figures, with MixUp, batch 16
//     -> images [steps, 16, 3, 32, 32] as the network saw them, labels and partner_labels [steps, 16], lambda and loss [steps] f64
#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace zoo;

bit::Naming naming(const std::string& text) {
  for (auto entry : enum_names(bit::Naming{}).entries)
    if (text == entry.name) return entry.value;
  throw UserError("unknown naming " + text);
}

constexpr int64_t kBatch = 16, kSize = 32;

void finetune(const std::string& checkpoint, int64_t steps, const std::string& out) {
  const auto set =
      data::open_dataset(data::ShapesOptions{.preset = data::ShapesPreset::downstream, .per_class = kBatch, .image_size = kSize});
  const auto rule = bit::hyper_rule(bit::size_of(*set), {.steps = steps, .resize = kSize, .crop = kSize, .mixup_alpha = 0.1});
  auto model = bit::load_checkpoint(checkpoint, {.num_classes = set->num_classes(), .head = bit::Head::zero}).model;
  auto batches = bit::training_data(set, bit::finetune_transform(rule, /*flip=*/true), kBatch, {}, /*seed=*/1);
  optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
  std::vector<at::Tensor> images, labels, partner_labels;
  std::vector<double> lambdas, losses;
  const auto recorded = [&, loss = bit::softmax_loss()](nn::ResNetV2& network, const bit::MixedBatch& batch) {
    images.push_back(batch.images);
    labels.push_back(batch.labels);
    partner_labels.push_back(batch.partner_labels);
    lambdas.push_back(batch.lambda);
    return loss(network, batch);
  };
  for (int64_t step = 0; step < steps; ++step) {
    sgd.zero_grad();
    const auto loss =
        bit::accumulate_gradients(model, batches, 1, step, {.alpha = rule.mixup_alpha, .seed = 1}, at::kCPU, nullptr, recorded);
    losses.push_back(loss.item<double>());
    sgd.step(rule.learning_rate(step));
  }
  io::save_weights(out, {{"images", at::stack(images).contiguous()},
                         {"labels", at::stack(labels)},
                         {"partner_labels", at::stack(partner_labels)},
                         {"lambda", at::tensor(lambdas, at::kDouble)},
                         {"loss", at::tensor(losses, at::kDouble)}});
}

void run(const std::vector<std::string>& words) {
  if (words.size() == 4 && words[0] == "convert") return bit::convert(words[1], words[2], {.names = naming(words[3])});
  if (words.size() == 4 && words[0] == "logits") {
    const at::NoGradGuard no_grad;
    auto checkpoint = bit::load_checkpoint(words[1]);
    const auto x = io::load_weights(words[2]).tensors.at("x");
    return io::save_weights(words[3], {{"logits", checkpoint.model->forward(x)}}, {});
  }
  if (words.size() == 4 && words[0] == "finetune") return finetune(words[1], std::stoll(words[2]), words[3]);
  throw UserError("usage: bit-tool convert IN OUT NAMES | logits CHECKPOINT IN OUT | finetune CHECKPOINT STEPS OUT");
}

}  // namespace

int main(int count, char** words) {
  try {
    run({words + 1, words + count});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
