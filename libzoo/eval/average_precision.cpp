#include <libzoo/eval/average_precision.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace zoo::eval {
namespace {

constexpr size_t kThresholds = 10, kRecalls = 101, kMostFound = 100;

// numpy's linspace(0.5, 0.95, 10) and linspace(0, 1, 101), to the last bit.
double threshold(size_t i) { return i + 1 == kThresholds ? 0.95 : 0.5 + double(i) * ((0.95 - 0.5) / double(kThresholds - 1)); }
double recall_at(size_t i) { return i + 1 == kRecalls ? 1.0 : double(i) * 0.01; }

struct AreaRange {
  double low, high;
  bool contains(double area) const { return area >= low && area <= high; }
};
constexpr std::array<AreaRange, 4> kAreas{{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}};

// What one picture has of one category.
struct Scene {
  std::vector<const TrueBox*> truth;
  std::vector<const FoundBox*> found;         // best first, kMostFound at most
  std::vector<std::vector<double>> overlaps;  // [found][truth]
};
using Scenes = std::map<int64_t, Scene>;  // by picture

// A detection and what became of it at each threshold.
struct Judged {
  double score = 0;
  std::array<bool, kThresholds> right{}, ignored{};
};

struct Verdict {
  std::vector<Judged> found;
  int64_t to_find = 0;
};

Verdict judge(const Scene& scene, const AreaRange& area) {
  const size_t n = scene.truth.size();
  std::vector<char> ignored(n);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t(0));
  for (size_t g = 0; g < n; ++g) ignored[g] = scene.truth[g]->crowd || !area.contains(scene.truth[g]->area);
  std::stable_partition(order.begin(), order.end(), [&](size_t g) { return !ignored[g]; });

  Verdict verdict{.found = std::vector<Judged>(scene.found.size()), .to_find = std::count(ignored.begin(), ignored.end(), 0)};
  for (size_t t = 0; t < kThresholds; ++t) {
    std::vector<char> taken(n);
    for (size_t d = 0; d < scene.found.size(); ++d) {
      Judged& judged = verdict.found[d];
      judged.score = scene.found[d]->score;
      double best = std::min(threshold(t), 1 - 1e-10);
      size_t match = n;
      for (size_t g : order) {
        if (taken[g] && !scene.truth[g]->crowd) continue;
        if (match < n && !ignored[match] && ignored[g]) break;  // an object that counts goes before any that is ignored
        if (scene.overlaps[d][g] < best) continue;
        best = scene.overlaps[d][g];
        match = g;
      }
      judged.right[t] = match < n;
      judged.ignored[t] = match < n ? ignored[match] : !area.contains(scene.found[d]->box.area());
      if (match < n) taken[match] = true;
    }
  }
  return verdict;
}

// Of one category: precision at each threshold and recall, and the recall that is reached. Empty if there is nothing to find.
struct Curves {
  std::vector<std::array<double, kRecalls>> precision;
  std::vector<double> recall;
};

Curves curves_of(const std::vector<Verdict>& verdicts, size_t most_found) {
  std::vector<const Judged*> found;
  int64_t to_find = 0;
  for (const Verdict& verdict : verdicts) {
    to_find += verdict.to_find;
    for (size_t d = 0; d < std::min(verdict.found.size(), most_found); ++d) found.push_back(&verdict.found[d]);
  }
  if (to_find == 0) return {};
  std::stable_sort(found.begin(), found.end(), [](const Judged* a, const Judged* b) { return a->score > b->score; });
  Curves curves;
  for (size_t t = 0; t < kThresholds; ++t) {
    std::vector<double> recall, precision;
    double right = 0, wrong = 0;
    for (const Judged* judged : found) {
      if (!judged->ignored[t]) (judged->right[t] ? right : wrong) += 1;
      recall.push_back(right / double(to_find));
      precision.push_back(right / (wrong + right + std::numeric_limits<double>::epsilon()));
    }
    for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    auto& row = curves.precision.emplace_back();
    row.fill(0);
    for (size_t r = 0; r < kRecalls; ++r) {
      const auto reached = std::lower_bound(recall.begin(), recall.end(), recall_at(r)) - recall.begin();
      if (size_t(reached) == recall.size()) break;
      row[r] = precision[size_t(reached)];
    }
    curves.recall.push_back(recall.empty() ? 0 : recall.back());
  }
  return curves;
}

// The mean of what was added; -1 of nothing.
struct Mean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) { sum += value, ++count; }
  void add(const std::array<double, kRecalls>& values) {
    for (double value : values) add(value);
  }
  double value() const { return count > 0 ? sum / double(count) : -1; }
};

void require(bool holds, const char* what, int64_t category, int64_t num_categories) {
  if (!holds) throw Error(fmt::format("average precision: {} has a value that is not finite", what));
  if (category < 0 || category >= num_categories)
    throw Error(fmt::format("average precision: {} is of category {}, there are {}", what, category, num_categories));
}

bool is_finite(const io::Box& box) {
  return std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.width) && std::isfinite(box.height);
}

std::vector<Scenes> scenes_by_category(std::span<const TrueBox> truth, std::span<const FoundBox> found, int64_t num_categories) {
  std::vector<Scenes> categories(static_cast<size_t>(num_categories));
  for (const TrueBox& box : truth) {
    require(is_finite(box.box) && std::isfinite(box.area), "a true box", box.category, num_categories);
    categories[size_t(box.category)][box.picture].truth.push_back(&box);
  }
  for (const FoundBox& box : found) {
    require(is_finite(box.box) && std::isfinite(box.score), "a detection", box.category, num_categories);
    categories[size_t(box.category)][box.picture].found.push_back(&box);
  }
  for (Scenes& scenes : categories)
    for (auto& [picture, scene] : scenes) {
      std::stable_sort(scene.found.begin(), scene.found.end(), [](const auto* a, const auto* b) { return a->score > b->score; });
      if (scene.found.size() > kMostFound) scene.found.resize(kMostFound);
      for (const FoundBox* one : scene.found) {
        auto& row = scene.overlaps.emplace_back();
        for (const TrueBox* other : scene.truth) row.push_back(overlap(one->box, other->box, other->crowd));
      }
    }
  return categories;
}

}  // namespace

double overlap(const io::Box& found, const io::Box& other, bool crowd) {
  const double common = io::common_area(found, other);
  if (common == 0) return 0;
  return common / (crowd ? found.area() : found.area() + other.area() - common);
}

AveragePrecision average_precision(std::span<const TrueBox> truth, std::span<const FoundBox> found, int64_t num_categories) {
  AveragePrecision result;
  Mean at50, at75, recall_1, recall_10;
  std::array<Mean, kAreas.size()> of_area, recall_of_area;
  for (const Scenes& scenes : scenes_by_category(truth, found, num_categories)) {
    Mean own;
    for (size_t a = 0; a < kAreas.size(); ++a) {
      std::vector<Verdict> verdicts;
      for (const auto& [picture, scene] : scenes) verdicts.push_back(judge(scene, kAreas[a]));
      const Curves curves = curves_of(verdicts, kMostFound);
      for (const auto& row : curves.precision) of_area[a].add(row);
      for (double recall : curves.recall) recall_of_area[a].add(recall);
      if (a > 0 || curves.precision.empty()) continue;
      for (const auto& row : curves.precision) own.add(row);
      at50.add(curves.precision[0]);
      at75.add(curves.precision[5]);
      for (double recall : curves_of(verdicts, 1).recall) recall_1.add(recall);
      for (double recall : curves_of(verdicts, 10).recall) recall_10.add(recall);
    }
    result.of_category.push_back(own.value());
  }
  result.ap = of_area[0].value(), result.ap50 = at50.value(), result.ap75 = at75.value();
  result.ap_small = of_area[1].value(), result.ap_medium = of_area[2].value(), result.ap_large = of_area[3].value();
  result.recall_1 = recall_1.value(), result.recall_10 = recall_10.value(), result.recall_100 = recall_of_area[0].value();
  result.recall_small = recall_of_area[1].value(), result.recall_medium = recall_of_area[2].value();
  result.recall_large = recall_of_area[3].value();
  return result;
}

}  // namespace zoo::eval
