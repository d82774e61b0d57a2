#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/protocols.h>
#include <libzoo/bit/training.h>
#include <libzoo/bit/tuning.h>
#include <libzoo/bit/vtab.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/suggest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zoo::bit {
namespace {

constexpr int64_t kTestBatch = 64;
constexpr int64_t kValidationExamples = 200;  // the least of a validation part

const char* group_name(VtabGroup group) {
  switch (group) {
    case VtabGroup::natural: return "natural";
    case VtabGroup::specialized: return "specialized";
    case VtabGroup::structured: return "structured";
  }
  throw Error("no such group of VTAB tasks");
}

const VtabTask* find_task(const std::string& name) {
  for (const auto& task : vtab_tasks())
    if (task.name == name) return &task;
  return nullptr;
}

// One data set after the other; both have the classes of the first.
class Joined final : public data::ImageDataset {
 public:
  Joined(data::DatasetPointer first, data::DatasetPointer second) : first_(std::move(first)), second_(std::move(second)) {}
  int64_t size() const override { return first_->size() + second_->size(); }
  int64_t num_classes() const override { return first_->num_classes(); }
  std::string class_name(int64_t label) const override { return first_->class_name(label); }
  data::ImageSize typical_size() const override { return first_->typical_size(); }
  std::string describe() const override { return fmt::format("{}, then {}", first_->describe(), second_->describe()); }

 private:
  int64_t get_label(int64_t i) const override { return i < first_->size() ? first_->label(i) : second_->label(i - first_->size()); }
  void get_picture(int64_t i, data::Picture& picture) const override {
    i < first_->size() ? first_->read(i, picture) : second_->read(i - first_->size(), picture);
  }
  std::string get_item_name(int64_t i) const override {
    return i < first_->size() ? first_->item_name(i) : second_->item_name(i - first_->size());
  }

  data::DatasetPointer first_, second_;
};

double measure_task(const VtabTask& task, const VtabSet& set, const Checkpoint& start, const VtabOptions& o, const train::Run& run) {
  const std::string name(task.name);
  const auto examples = vtab_examples(name, set), test = data::open_dataset(set.test);
  data::require_same_classes(*examples, *test);
  if (examples->num_classes() != task.num_classes)
    log::warning(fmt::format("{}: the benchmark has {} classes, this set {}", name, task.num_classes, examples->num_classes()));
  TuningPlan plan{.rule = hyper_rule(size_of(*examples), o.rule),
                  .flip = set.augment.value_or(task.group != VtabGroup::structured),
                  .batch_size = o.batch_size,
                  .accumulation_steps = o.accumulation_steps,
                  .precision = o.precision,
                  .seed = run.seed(name)};
  if (!plan.flip) plan.rule.resize = plan.rule.crop;  // the whole picture
  auto model = with_zero_head(start.model, examples->num_classes());
  fine_tune(model, examples, plan, run);
  if (run.interrupted()) return 0;
  return measure(model, evaluation_batches(test, {.size = plan.rule.crop}, kTestBatch, {.workers = o.workers}), run.device()).top(1);
}

double percent(double fraction) { return std::round(1000 * fraction) / 10; }

// The means over those rows of each group that are there, and over all.
Json summary(const Json& rows) {
  Json result = {{"tasks", rows}};
  const auto add_mean = [&](const char* name, auto belongs) {
    double sum = 0, count = 0;
    for (const auto& row : rows)
      if (belongs(row)) sum += row.at("top-1 %").template get<double>(), count += 1;
    if (count > 0) result[name] = std::round(10 * sum / count) / 10;
  };
  for (const char* group : {"natural", "specialized", "structured"})
    add_mean(group, [&](const Json& row) { return row.at("group") == group; });
  add_mean("mean", [](const Json&) { return true; });
  return result;
}

}  // namespace

void check(const VtabOptions& o, Problems& problems) {
  std::vector<std::string> known;
  for (const auto& task : vtab_tasks()) known.emplace_back(task.name);
  for (const auto& [name, set] : o.tasks) {
    if (!find_task(name))
      problems.add("tasks." + name, fmt::format("is no task of VTAB{}; there are {}", did_you_mean(name, known), fmt::join(known, ", ")));
  }
}

data::DatasetPointer vtab_examples(const std::string& task, const VtabSet& set) {
  auto train = data::open_dataset(set.train);
  int64_t train_size = train->size(), val_size = std::max(kValidationExamples, train->size() / 10);
  if (set.val) {
    const auto val = data::open_dataset(*set.val);
    data::require_same_classes(*train, *val);
    val_size = val->size();
    train = std::make_shared<Joined>(train, val);
  } else {
    train_size -= val_size;
  }
  try {
    return data::subset(train, vtab_split(train_size, val_size).train800val200);
  } catch (const Error& error) {
    throw UserError(fmt::format("{}: {}", task, error.what()));
  }
}

Json vtab(const VtabOptions& o, train::Run& run) {
  auto start = load_checkpoint(o.checkpoint, {.num_classes = 0, .in_channels = 3});
  start.model->to(run.device());
  Json rows = Json::array();
  run.track("rows", [&] { return State{.values = {{"rows", rows}}}; }, [&](const State& state) { rows = state.values.at("rows"); });
  std::vector<const VtabTask*> tasks;  // in the benchmark's order
  for (const auto& task : vtab_tasks())
    if (o.tasks.contains(std::string(task.name))) tasks.push_back(&task);
  for (int64_t step : run.steps(int64_t(tasks.size()))) {
    const VtabTask& task = *tasks[size_t(step)];
    const double top1 = measure_task(task, o.tasks.at(std::string(task.name)), start, o, run);
    if (run.interrupted()) return nullptr;  // the task in flight is done again
    rows.push_back({{"task", task.name}, {"group", group_name(task.group)}, {"top-1 %", percent(top1)}});
    log::info(rows.back().dump());
  }
  if (run.interrupted()) return nullptr;
  return summary(rows);
}

}  // namespace zoo::bit
