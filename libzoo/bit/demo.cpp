#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/demo.h>
#include <libzoo/bit/finetune.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/models.h>
#include <libzoo/bit/pretrain.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/log.h>
#include <libzoo/data/contact_sheet.h>
#include <libzoo/eval/interval.h>
#include <libzoo/eval/nearest_neighbor.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::bit {
namespace {

struct Labelled {
  at::Tensor images;  // [n, 3, h, w], as the network sees them
  at::Tensor labels;  // [n]
};

Labelled all_of(const data::DatasetPointer& dataset, int64_t size, const LoaderOptions& loader) {
  auto batch = evaluation_batches(dataset, {.size = size}, dataset->size(), loader).next();
  return {batch->images, batch->labels};
}

// `model` on a few examples, by HyperRule. False if a signal came in between.
bool fine_tune(nn::ResNetV2& model, const data::DatasetPointer& examples, const HyperRule& rule, const DemoOptions& o,
               uint64_t seed, train::Run& run) {
  // A subset smaller than a batch is one batch: each step sees every example once, not some of them twice.
  const int64_t batch_size = std::min(o.batch_size, examples->size());
  auto batches = training_batches(examples, finetune_transform(rule, false), batch_size, {.workers = 0}, seed);
  optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
  for (int64_t step = 0; step < rule.total_steps; ++step) {
    if (run.interrupted()) return false;
    sgd.zero_grad();
    accumulate_gradients(model, batches, 1, step, {.alpha = rule.mixup_alpha, .seed = seed}, run);
    sgd.step(rule.learning_rate(step));
  }
  return true;
}

double top1(nn::ResNetV2& model, const Labelled& test) {
  at::NoGradGuard no_grad;
  return eval::classification_metrics(model->forward(test.images), test.labels, {1}).top(1);
}

std::string percent(const std::vector<double>& fractions) {
  const auto interval = eval::mean_interval(fractions);
  return fmt::format("{:.1f} ± {:.1f}", 100 * interval.mean, 100 * interval.half_width);
}

// The first pictures of the test set with what the network says about them; mistakes in red.
io::Image prediction_sheet(nn::ResNetV2& model, const data::ImageDataset& test, const Labelled& seen) {
  constexpr int64_t kColumns = 12, kRows = 6;
  at::NoGradGuard no_grad;
  model->eval();
  const auto predicted = model->forward(seen.images.slice(0, 0, kColumns * kRows)).argmax(1).to(at::kCPU);
  std::vector<data::SheetCell> cells;
  for (int64_t i = 0; i < predicted.size(0); ++i) {
    const int64_t said = predicted[i].item<int64_t>(), truth = test.label(i);
    cells.push_back({.image = test.image(i), .caption = fmt::format("{} ({})", test.class_name(said), test.class_name(truth)),
                     .color = said == truth ? data::kRight : data::kWrong});
  }
  return data::contact_sheet(cells, {.columns = kColumns, .cell_pixels = 64, .title = "predicted (true)"});
}

}  // namespace

Json demo(const DemoOptions& o, train::Run& run) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  require_same_classes(*train_set, *test_set);
  Json upstream;
  auto pretrained = pretrain_network(o.pretrain, run, upstream);
  if (run.interrupted()) return nullptr;

  Json table = Json::array();
  Labelled test;
  for (int64_t shots : o.examples_per_class) {
    std::vector<double> transferred, scratch, nearest;
    for (int64_t draw = 0; draw < o.draws; ++draw) {
      const auto examples = few_shot_subset(train_set, shots, run.seed(fmt::format("subset {}", draw)));
      const HyperRule rule = hyper_rule(size_of(*examples), o.rule);
      if (!test.images.defined()) test = all_of(test_set, rule.crop, o.pretrain.data);
      const Labelled seen = all_of(examples, rule.crop, o.pretrain.data);
      const uint64_t seed = run.seed(fmt::format("fine-tuning {}", draw));

      auto tuned = with_zero_head(pretrained, train_set->num_classes());
      auto fresh = build(o.pretrain.model, {.num_classes = train_set->num_classes(), .seed = seed});
      if (!fine_tune(tuned, examples, rule, o, seed, run) || !fine_tune(fresh, examples, rule, o, seed, run)) return nullptr;
      transferred.push_back(top1(tuned, test));
      scratch.push_back(top1(fresh, test));
      nearest.push_back(eval::nearest_neighbor_accuracy(seen.images.flatten(1), seen.labels, test.images.flatten(1), test.labels));
      if (draw == 0 && shots == o.examples_per_class.back()) run.save_image("predictions", prediction_sheet(tuned, *test_set, test));
    }
    log::info(fmt::format("{} per class: transferred {} %, scratch {} %, nearest neighbour {} %", shots, percent(transferred),
                          percent(scratch), percent(nearest)));
    table.push_back({{"examples per class", shots},
                     {"transferred %", percent(transferred)},
                     {"scratch %", percent(scratch)},
                     {"nearest neighbour %", percent(nearest)}});
  }
  return {{"table", table},
          {"checkpoint", (run.directory() / "model.safetensors").string()},
          {"picture", (run.directory() / "samples" / "predictions.png").string()}};
}

}  // namespace zoo::bit
