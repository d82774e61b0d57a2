// Resampling along one axis as a table: output i is the sum of weights[i][k] * input[first[i] + k], k < count[i].
#pragma once

#include <libzoo/data/resize.h>

namespace zoo::data {

template <class Weight>
struct AxisTable {
  int64_t taps = 0;                     // room per output; count[i] <= taps
  std::vector<int32_t> first, count;    // [outputs]
  std::vector<Weight> weights;          // [outputs, taps]

  int64_t outputs() const { return int64_t(first.size()); }
  int64_t begin() const;                // inputs from begin() to end()-1 are needed
  int64_t end() const;
  bool copies() const;                  // every output is one input, unweighted
};

struct AxisRange {
  int64_t begin = 0, size = 0;
  int64_t end() const { return begin + size; }
};

// n inputs to m outputs, of which those in `range` are tabled; from and to bound the part of the input that is used (0 and n
// without a box).
// Throws UserError if the convention has no such mode. Formulas: the convention's own code, quoted at each.
AxisTable<double> axis_table(int64_t n, int64_t m, const AxisRange& range, double from, double to, const ResizeOptions& options);

AxisTable<double> reversed(const AxisTable<double>& table);  // the last output first

constexpr int kFixedBits = 22;
AxisTable<int32_t> fixed_point(const AxisTable<double>& table);  // Pillow's rounding, zero weights at the ends left out
AxisTable<float> single_precision(const AxisTable<double>& table);

}  // namespace zoo::data
