#include <libzoo/bit/hyper_rule.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::bit {
namespace {

constexpr int64_t kMedium = 20'000, kLarge = 500'000;  // training examples
constexpr int64_t kSmallImage = 96 * 96;               // pixels
constexpr double kMixupAlpha = 0.1;

std::vector<int64_t> schedule(int64_t num_examples, Schedule kind) {
  if (num_examples < kMedium) {
    if (kind == Schedule::paper) return {100, 150, 300, 450, 500};
    return {100, 200, 300, 400, 500};
  }
  if (num_examples < kLarge) return {500, 3000, 6000, 9000, 10'000};
  return {500, 6000, 12'000, 18'000, 20'000};
}

void choose_resolution(HyperRule& rule, const DatasetSize& size, const HyperRuleOptions& options) {
  // Sides are far below 2^31; the comparison is in double so that absurd ones do not overflow.
  const bool small = double(size.image_height) * double(size.image_width) < double(kSmallImage);
  const bool large_crop = options.resolution == Resolution::repo || options.large_model;
  rule.resize = small ? 160 : large_crop ? 512 : 448;
  rule.crop = small ? 128 : large_crop ? 480 : 384;
  if (options.crop) {
    rule.crop = *options.crop;
    if (!options.resize) rule.resize = std::max(rule.resize, rule.crop);
  }
  if (options.resize) {
    rule.resize = *options.resize;
    if (!options.crop) rule.crop = std::min(rule.crop, rule.resize);
  }
}

void require_positive(const char* name, double value) {
  if (!(value > 0) || !std::isfinite(value)) throw UserError(fmt::format("BiT-HyperRule: {} must be positive, got {}", name, value));
}

void require_valid(const DatasetSize& size, const HyperRuleOptions& options) {
  require_positive("num_examples", double(size.num_examples));
  require_positive("image_height", double(size.image_height));
  require_positive("image_width", double(size.image_width));
  require_positive("base_rate", options.base_rate);
  if (options.steps) require_positive("steps", double(*options.steps));
  if (options.resize) require_positive("resize", double(*options.resize));
  if (options.crop) require_positive("crop", double(*options.crop));
  if (options.resize && options.crop && *options.crop > *options.resize)
    throw UserError(fmt::format("BiT-HyperRule: crop {} is larger than resize {}", *options.crop, *options.resize));
  if (options.mixup_alpha && !(*options.mixup_alpha >= 0 && std::isfinite(*options.mixup_alpha)))
    throw UserError(fmt::format("BiT-HyperRule: mixup_alpha must be 0 or more, got {}", *options.mixup_alpha));
}

}  // namespace

std::vector<int64_t> HyperRule::supports() const {
  std::vector<int64_t> all{warmup_steps};
  all.insert(all.end(), decay_steps.begin(), decay_steps.end());
  all.push_back(total_steps);
  return all;
}

double HyperRule::learning_rate(int64_t step) const {
  if (step < 0 || done(step))
    throw Error(fmt::format("BiT-HyperRule has a learning rate for steps 0 to {}, not for {}", total_steps - 1, step));
  if (step < warmup_steps) return base_rate * double(step) / double(warmup_steps);
  double rate = base_rate;
  for (int64_t drop : decay_steps)
    if (drop < step) rate /= 10;
  return rate;
}

HyperRule hyper_rule(const DatasetSize& size, const HyperRuleOptions& options) {
  require_valid(size, options);
  auto supports = schedule(size.num_examples, options.schedule);
  if (options.steps) {
    const double scale = double(*options.steps) / double(supports.back());
    for (int64_t& support : supports) support = std::llround(double(support) * scale);
  }
  HyperRule rule{};
  choose_resolution(rule, size, options);
  rule.warmup_steps = supports.front();
  rule.decay_steps.assign(supports.begin() + 1, supports.end() - 1);
  rule.total_steps = supports.back();
  rule.base_rate = options.base_rate;
  rule.mixup_alpha = options.mixup_alpha.value_or(size.num_examples < kMedium ? 0.0 : kMixupAlpha);
  return rule;
}

}  // namespace zoo::bit
