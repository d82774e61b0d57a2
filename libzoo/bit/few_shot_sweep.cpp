#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/few_shot_sweep.h>
#include <libzoo/bit/fewshot.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/training.h>
#include <libzoo/bit/tuning.h>
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/data/contact_sheet.h>
#include <libzoo/eval/interval.h>
#include <libzoo/eval/nearest_neighbor.h>
#include <libzoo/train/side_by_side.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cmath>
#include <future>

namespace zoo::bit {
namespace {

constexpr int64_t kTestBatch = 64;
// A job is one of several side by side: it reads its own pictures.
constexpr data::ReadOptions kAlone{.workers = 0};

// Of the pictures as the network sees them.
double nearest_neighbor(const data::DatasetPointer& examples, const data::DatasetPointer& test, int64_t size) {
  const auto all = [&](const data::DatasetPointer& dataset) {
    return *evaluation_batches(dataset, {.size = size}, dataset->size(), kAlone).next();
  };
  const auto seen = all(examples), asked = all(test);
  return eval::nearest_neighbor_accuracy(seen.images.flatten(1), seen.labels, asked.images.flatten(1), asked.labels);
}

// The first pictures of the test set with what the network says about them; mistakes in red.
io::Image prediction_sheet(nn::ResNetV2& model, const data::DatasetPointer& test, int64_t size, const at::Device& device) {
  constexpr int64_t kColumns = 12, kRows = 6;
  at::NoGradGuard no_grad;
  model->eval();
  const auto batch = evaluation_batches(test, {.size = size}, kColumns * kRows, kAlone).next();
  const auto predicted = model->forward(batch->images.to(device)).argmax(1).to(at::kCPU);
  std::vector<data::SheetCell> cells;
  for (int64_t i = 0; i < predicted.size(0); ++i) {
    const int64_t said = predicted[i].item<int64_t>(), truth = test->label(i);
    cells.push_back({.image = test->image(i),
                     .caption = fmt::format("{} ({})", test->class_name(said), test->class_name(truth)),
                     .color = said == truth ? data::kRight : data::kWrong});
  }
  return data::contact_sheet(cells, {.columns = kColumns, .cell_pixels = 64, .title = "predicted (true)"});
}

// Accuracies on the test set after one draw of a few examples.
struct Draw {
  double transferred = 0, scratch = 0, nearest_neighbor = 0;
  nn::ResNetV2 tuned{nullptr};
};

Draw one_draw(nn::ResNetV2& pretrained, const data::DatasetPointer& examples, const data::DatasetPointer& test, const SweepOptions& o,
              uint64_t seed, const train::Run& run) {
  const TuningPlan plan{.rule = hyper_rule(size_of(*examples), o.rule),
                        .flip = o.flip,
                        .batch_size = o.batch_size,
                        .accumulation_steps = o.accumulation_steps,
                        .precision = o.precision,
                        .seed = seed};
  const auto top1 = [&](nn::ResNetV2& model) {
    fine_tune(model, examples, plan, run);
    if (run.interrupted()) return 0.0;
    return measure(model, evaluation_batches(test, {.size = plan.rule.crop}, kTestBatch, kAlone), run.device()).top(1);
  };
  Draw draw;
  draw.tuned = with_zero_head(pretrained, examples->num_classes());
  draw.transferred = top1(draw.tuned);
  if (!o.baselines) return draw;
  auto architecture = draw.tuned->options;
  architecture.seed = seed;
  nn::ResNetV2 fresh(architecture);
  draw.scratch = top1(fresh);
  draw.nearest_neighbor = nearest_neighbor(examples, test, plan.rule.crop);
  return draw;
}

double percent(double fraction) { return std::round(1000 * fraction) / 10; }

void add_accuracies(Json& row, const std::string& name, std::span<const double> fractions) {
  const auto interval = eval::mean_interval(fractions);
  row[name] = percent(interval.mean);
  row["± " + name] = percent(interval.half_width);
  row["median " + name] = percent(eval::median(fractions));
}

std::vector<double> all_draws(const std::vector<Draw>& draws, double Draw::* accuracy) {
  std::vector<double> fractions;
  for (const auto& draw : draws) fractions.push_back(draw.*accuracy);
  return fractions;
}

std::string subset_seed(int64_t draw) { return fmt::format("subset {}", draw); }

}  // namespace

std::vector<int64_t> few_shot_indices(const data::ImageDataset& dataset, int64_t examples_per_class, uint64_t seed) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < dataset.size(); ++i) labels.push_back(dataset.label(i));
  const auto order = permutation(dataset.size(), {.seed = seed, .purpose = Purpose::subset});
  return ring_subset(labels, order, examples_per_class, dataset.num_classes());
}

data::DatasetPointer few_shot_subset(const data::DatasetPointer& dataset, int64_t examples_per_class, uint64_t seed) {
  return data::subset(dataset, few_shot_indices(*dataset, examples_per_class, seed));
}

Json few_shot_row(nn::ResNetV2& pretrained, const data::DatasetPointer& train, const data::DatasetPointer& test, int64_t examples_per_class,
                  const SweepOptions& o, const train::Run& run, io::Image* sheet) {
  train::SideBySide pool(run.device());
  std::vector<std::future<Draw>> futures;
  for (int64_t draw = 0; draw < o.draws; ++draw) {
    const auto examples = few_shot_subset(train, examples_per_class, run.seed(subset_seed(draw)));
    const uint64_t seed = run.seed(fmt::format("fine-tuning {}", draw));
    const bool keep = sheet && draw == 0;
    futures.push_back(pool.submit([&, examples, seed, keep] {
      Draw done = one_draw(pretrained, examples, test, o, seed, run);
      if (!keep) done.tuned = nullptr;
      return done;
    }));
  }
  std::vector<Draw> draws;
  for (auto& future : futures) draws.push_back(future.get());
  if (run.interrupted()) return nullptr;
  Json row = {{"examples per class", examples_per_class}};
  add_accuracies(row, "transferred", all_draws(draws, &Draw::transferred));
  if (o.baselines) {
    add_accuracies(row, "scratch", all_draws(draws, &Draw::scratch));
    add_accuracies(row, "nearest neighbour", all_draws(draws, &Draw::nearest_neighbor));
  }
  if (sheet) {
    const auto rule = hyper_rule({.num_examples = examples_per_class * train->num_classes(),
                                  .image_height = train->typical_size().height,
                                  .image_width = train->typical_size().width},
                                 o.rule);
    *sheet = prediction_sheet(draws.front().tuned, test, rule.crop, run.device());
  }
  log::info(fmt::format("{} per class: {}", examples_per_class, row.dump()));
  return row;
}

Json few_shot(const FewShotOptions& o, train::Run& run) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  data::require_same_classes(*train_set, *test_set);
  auto start = load_checkpoint(o.checkpoint, {.num_classes = train_set->num_classes(), .head = Head::zero, .in_channels = 3});
  start.model->to(run.device());
  Json rows = Json::array();
  run.track("rows", [&] { return State{.values = {{"rows", rows}}}; }, [&](const State& state) { rows = state.values.at("rows"); });
  const auto picture = run.directory() / "samples" / "predictions.png";
  for (int64_t step : run.steps(int64_t(o.examples_per_class.size()))) {
    const bool last = step + 1 == int64_t(o.examples_per_class.size());
    io::Image sheet;
    const Json row = few_shot_row(start.model, train_set, test_set, o.examples_per_class[size_t(step)], o, run, last ? &sheet : nullptr);
    if (row.is_null()) return nullptr;  // the size in flight is done again
    rows.push_back(row);
    if (last) run.save_image("predictions", sheet);
  }
  if (run.interrupted()) return nullptr;
  return {{"top-1 %", rows}, {"picture", picture.string()}};
}

Json probe(const ProbeOptions& o, uint64_t seed, const at::Device& device) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  data::require_same_classes(*train_set, *test_set);
  auto checkpoint = load_checkpoint(o.checkpoint, {.num_classes = 0, .in_channels = 3});
  place(checkpoint.model, device, o.precision);
  Preprocessing preprocessing = checkpoint.info.preprocessing;
  if (o.resolution) preprocessing.size = *o.resolution;
  const auto features = [&](const data::DatasetPointer& dataset) {
    return extract_features(checkpoint.model, evaluation_batches(dataset, preprocessing, o.batch_size, o.data), device);
  };
  const train::Features seen = features(train_set), asked = features(test_set);
  const auto accuracy = [&](const train::Features& support) {
    const auto fitted = fewshot_lsr(support.values, support.labels, train_set->num_classes(), o.l2);
    return fitted.scores(asked.values).argmax(1).eq(asked.labels).to(at::kDouble).mean().item<double>();
  };
  Json rows = Json::array();
  for (int64_t shots : o.examples_per_class) {
    std::vector<double> fractions;
    for (int64_t draw = 0; draw < o.draws && shots > 0; ++draw) {
      const auto places = at::tensor(few_shot_indices(*train_set, shots, derive_seed(seed, subset_seed(draw))), at::kLong);
      fractions.push_back(accuracy({seen.values.index_select(0, places), seen.labels.index_select(0, places)}));
    }
    Json row = {{"examples per class", shots > 0 ? Json(shots) : Json("all")}};
    if (shots > 0)
      add_accuracies(row, "probe", fractions);
    else
      row["probe"] = percent(accuracy(seen));
    rows.push_back(row);
  }
  return {{"top-1 %", rows}, {"resolution", preprocessing.size}, {"features", checkpoint.model->num_features()}};
}

}  // namespace zoo::bit
