#include <libzoo/bit/hints.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::bit {
namespace {

constexpr int64_t kImbalance = 10;  // the largest class has so many times as many pictures as the smallest

struct Extremes {
  int64_t fewest = 0, most = 0;  // classes
};

Extremes extremes(const std::vector<int64_t>& counts) {
  return {std::min_element(counts.begin(), counts.end()) - counts.begin(), std::max_element(counts.begin(), counts.end()) - counts.begin()};
}

std::string plural(int64_t count) { return fmt::format("{} picture{}", count, count == 1 ? "" : "s"); }

void add_class_hints(const data::ImageDataset& train, const Checkpoint* start, std::vector<std::string>& said) {
  const auto counts = class_counts(train);
  const auto [fewest, most] = extremes(counts);
  const auto named = [&](int64_t label) { return fmt::format("'{}' has {}", train.class_name(label), plural(counts[size_t(label)])); };
  const int64_t empty = std::count(counts.begin(), counts.end(), 0);
  if (empty > 0)
    said.push_back(
        fmt::format("{} of {} classes have no picture to learn from, such as '{}'", empty, counts.size(), train.class_name(fewest)));
  else if (counts[size_t(most)] >= kImbalance * counts[size_t(fewest)])
    said.push_back(fmt::format("the classes are unequal: {}, {}; accuracy will be that of the large ones (zoo-bit report shows each)",
                               named(most), named(fewest)));
  if (start && !start->classes_in_file.empty() && start->classes_in_file == train.class_names())
    said.push_back(
        "the checkpoint knows these very classes: its head starts from zero all the same; zoo-bit evaluate measures it as it is");
}

void add_size_hints(const data::ImageDataset& train, const HyperRule& rule, const Checkpoint* start, std::vector<std::string>& said) {
  const auto size = train.typical_size();
  const int64_t side = std::min(size.height, size.width), longer = std::max(size.height, size.width);
  if (side > 0 && rule.crop >= 8 * side)
    said.push_back(fmt::format("pictures of {}x{} pixels are enlarged to {}: rule.resize and rule.crop set less", size.height, size.width,
                               rule.resize));
  if (side > 0 && longer >= 3 * side)
    said.push_back(
        fmt::format("pictures of {}x{} pixels are squashed to squares: crop them to their objects first", size.height, size.width));
  if (!start) return;
  const int64_t seen = start->info.preprocessing.size;
  if (rule.crop > 3 * seen || 3 * rule.crop < seen)
    said.push_back(fmt::format("the checkpoint was made for {0} pixels and will see {1}: rule.resize={0} rule.crop={0} keeps its size",
                               seen, rule.crop));
}

}  // namespace

std::vector<int64_t> class_counts(const data::ImageDataset& dataset) {
  std::vector<int64_t> counts(size_t(dataset.num_classes()), 0);
  for (int64_t i = 0; i < dataset.size(); ++i)
    for (const int64_t label : dataset.labels(i)) ++counts[size_t(label)];
  return counts;
}

Json class_report(const data::ImageDataset& dataset) {
  const auto counts = class_counts(dataset);
  const auto [fewest, most] = extremes(counts);
  const auto named = [&](int64_t label) { return Json{{"class", dataset.class_name(label)}, {"images", counts[size_t(label)]}}; };
  const double least = double(counts[size_t(fewest)]);
  return {{"classes", counts.size()},
          {"fewest", named(fewest)},
          {"most", named(most)},
          {"imbalance", least > 0 ? Json(double(counts[size_t(most)]) / least) : Json()}};
}

std::vector<std::string> hints(const data::ImageDataset& train, const HyperRule& rule, const Checkpoint* start, int64_t batch_size) {
  std::vector<std::string> said;
  add_class_hints(train, start, said);
  if (train.size() < train.num_classes())
    said.push_back(fmt::format("{} for {} classes: most of them can't be learnt", plural(train.size()), train.num_classes()));
  if (batch_size > train.size())
    said.push_back(
        fmt::format("a batch of {} is larger than the set of {}: pictures are drawn with replacement", batch_size, plural(train.size())));
  add_size_hints(train, rule, start, said);
  return said;
}

}  // namespace zoo::bit
