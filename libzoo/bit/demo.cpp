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
#include <libzoo/train/side_by_side.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cmath>
#include <future>

namespace zoo::bit {
namespace {

struct Labelled {
  at::Tensor images;  // [n, 3, h, w], as the network sees them
  at::Tensor labels;  // [n]
};

Labelled all_of(const data::DatasetPointer& dataset, int64_t size, const data::ReadOptions& options, const at::Device& device) {
  const auto batch = evaluation_batches(dataset, {.size = size}, dataset->size(), options).next()->to(device);
  return {batch.images, batch.labels};
}

// `model` on a few examples, by HyperRule; stops early if a signal asks for it.
void fine_tune(nn::ResNetV2& model, const data::DatasetPointer& examples, const HyperRule& rule, const DemoOptions& o, uint64_t seed,
               const train::Run& run) {
  // A subset smaller than a batch is one batch: each step sees every example once, not some of them twice.
  const int64_t batch_size = std::min(o.batch_size, examples->size());
  data::LoaderOptions loader;
  loader.workers = 0;
  auto batches = training_data(examples, finetune_transform(rule, false), batch_size, loader, seed);
  optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
  for (int64_t step = 0; step < rule.total_steps && !run.interrupted(); ++step) {
    sgd.zero_grad();
    accumulate_gradients(model, batches, 1, step, {.alpha = rule.mixup_alpha, .seed = seed}, run.device());
    sgd.step(rule.learning_rate(step));
  }
}

double top1(nn::ResNetV2& model, const Labelled& test) {
  at::NoGradGuard no_grad;
  return eval::classification_metrics(model->forward(test.images), test.labels, {1}).top(1);
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
    cells.push_back({.image = test.image(i),
                     .caption = fmt::format("{} ({})", test.class_name(said), test.class_name(truth)),
                     .color = said == truth ? data::kRight : data::kWrong});
  }
  return data::contact_sheet(cells, {.columns = kColumns, .cell_pixels = 64, .title = "predicted (true)"});
}

// Accuracies on the test set after one draw of a few examples.
struct Draw {
  double transferred = 0, scratch = 0, nearest_neighbor = 0;
  nn::ResNetV2 tuned{nullptr};
};

Draw one_draw(nn::ResNetV2& pretrained, const data::DatasetPointer& examples, const Labelled& test, const DemoOptions& o, uint64_t seed,
              const train::Run& run) {
  const HyperRule rule = hyper_rule(size_of(*examples), o.rule);
  const int64_t num_classes = examples->num_classes();
  Draw draw;
  draw.tuned = with_zero_head(pretrained, num_classes);
  auto fresh = build(o.pretrain.model, {.num_classes = num_classes, .seed = seed});
  fresh->to(run.device());
  fine_tune(draw.tuned, examples, rule, o, seed, run);
  fine_tune(fresh, examples, rule, o, seed, run);
  const Labelled seen = all_of(examples, rule.crop, {.workers = 0}, run.device());
  draw.transferred = top1(draw.tuned, test);
  draw.scratch = top1(fresh, test);
  draw.nearest_neighbor = eval::nearest_neighbor_accuracy(seen.images.flatten(1), seen.labels, test.images.flatten(1), test.labels);
  return draw;
}

// Percent, one decimal: {mean, half width of the 95 % interval}.
std::pair<double, double> percent(const std::vector<Draw>& draws, double Draw::* accuracy) {
  std::vector<double> fractions;
  for (const auto& draw : draws) fractions.push_back(draw.*accuracy);
  const auto interval = eval::mean_interval(fractions);
  return {std::round(1000 * interval.mean) / 10, std::round(1000 * interval.half_width) / 10};
}

Json table_row(int64_t shots, const std::vector<Draw>& draws) {
  Json row = {{"examples per class", shots}};
  for (const auto& [name, accuracy] :
       {std::pair{"transferred", &Draw::transferred}, {"scratch", &Draw::scratch}, {"nearest neighbour", &Draw::nearest_neighbor}}) {
    const auto [mean, half_width] = percent(draws, accuracy);
    row[name] = mean;
    row[fmt::format("± {}", name)] = half_width;
  }
  return row;
}

}  // namespace

Json demo(const DemoOptions& o, train::Run& run) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  require_same_classes(*train_set, *test_set);
  Json upstream;
  auto pretrained = pretrain_network(o.pretrain, run, upstream);

  const int64_t crop = hyper_rule(size_of(*train_set), o.rule).crop;
  const Labelled test = all_of(test_set, crop, o.pretrain.data, run.device());
  Json table = Json::array();
  train::SideBySide pool(run.device());
  for (int64_t shots : o.examples_per_class) {
    std::vector<std::future<Draw>> futures;
    for (int64_t draw = 0; draw < o.draws; ++draw) {
      const auto examples = few_shot_subset(train_set, shots, run.seed(fmt::format("subset {}", draw)));
      const uint64_t seed = run.seed(fmt::format("fine-tuning {}", draw));
      futures.push_back(pool.submit([&, examples, seed] { return one_draw(pretrained, examples, test, o, seed, run); }));
    }
    std::vector<Draw> draws;
    for (auto& future : futures) draws.push_back(future.get());
    if (run.interrupted()) return nullptr;
    table.push_back(table_row(shots, draws));
    log::info(fmt::format("{} per class: {}", shots, table.back().dump()));
    if (shots == o.examples_per_class.back()) run.save_image("predictions", prediction_sheet(draws.front().tuned, *test_set, test));
  }
  return {{"top-1 %", table},
          {"checkpoint", (run.directory() / "model.safetensors").string()},
          {"picture", (run.directory() / "samples" / "predictions.png").string()}};
}

}  // namespace zoo::bit
