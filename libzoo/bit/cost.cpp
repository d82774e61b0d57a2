#include <libzoo/bit/cost.h>

#include <libzoo/bit/names.h>

#include <algorithm>
#include <cmath>

namespace zoo::bit {
namespace {

struct Cost {
  int64_t multiply_adds = 0;
  int64_t kept = 0;     // numbers kept for the backward pass
  int64_t largest = 0;  // of the tensors
};

struct Grid {
  int64_t height, width;
  int64_t area() const { return height * width; }
  Grid halved() const { return {(height - 1) / 2 + 1, (width - 1) / 2 + 1}; }
};

// One picture through the network, layer by layer.
Cost cost_of(const nn::ResNetV2Options& o, Grid grid) {
  Cost cost;
  const auto keep = [&](int64_t channels, const Grid& g) {
    cost.kept += channels * g.area();
    cost.largest = std::max(cost.largest, channels * g.area());
  };
  const int64_t root = std::lround(64 * o.width);
  keep(o.in_channels, grid);
  grid = grid.halved();
  cost.multiply_adds += 49 * o.in_channels * root * grid.area();
  cost.largest = std::max(cost.largest, root * grid.area());  // the pool remembers places, not values
  grid = grid.halved();
  int64_t channels = root;
  keep(channels, grid);
  for (size_t block = 0; block < o.units.size(); ++block) {
    const int64_t middle = root << block;
    for (int64_t unit = 0; unit < o.units[block]; ++unit) {
      const Grid in = grid;
      if (block > 0 && unit == 0) grid = grid.halved();
      cost.multiply_adds += channels * middle * in.area() + (9 * middle + 4 * middle) * middle * grid.area();
      if (unit == 0) cost.multiply_adds += channels * 4 * middle * grid.area();
      if (unit == 0 && block > 0) keep(channels, grid);  // what the strided shortcut sees
      keep(channels, in);  // relu(gn1), what conv1 sees
      keep(middle, in), keep(middle, in);
      keep(middle, grid), keep(middle, grid);
      channels = 4 * middle;
      keep(channels, grid);  // the unit's output
    }
  }
  cost.multiply_adds += channels * o.num_classes;
  return cost;
}

}  // namespace

int64_t multiply_adds(const nn::ResNetV2Options& architecture, int64_t height, int64_t width) {
  return cost_of(architecture, {height, width}).multiply_adds;
}

int64_t training_memory(const nn::ResNetV2Options& architecture, int64_t height, int64_t width, int64_t batch_size) {
  constexpr int64_t kCopies = 4;  // value, gradient, velocity, standardised
  const Cost cost = cost_of(architecture, {height, width});
  // Two gradients of the largest tensor are alive while it is passed.
  const int64_t numbers = kCopies * parameter_count(architecture) + batch_size * (cost.kept + 2 * cost.largest);
  return numbers * int64_t(sizeof(float));
}

}  // namespace zoo::bit
