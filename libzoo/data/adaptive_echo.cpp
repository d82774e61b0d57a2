#include <libzoo/core/error.h>
#include <libzoo/data/adaptive_echo.h>
#include <libzoo/data/echo_order.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {

AdaptiveEcho::AdaptiveEcho(const AdaptiveEchoOptions& o) : options_(o) {
  const auto require = [](bool holds, const char* name, const char* range, auto value) {
    if (!holds) throw Error(fmt::format("adaptive echo: {} must be {}, got {}", name, range, value));
  };
  check_echo_factor(o.max_factor, "adaptive echo: max_factor");
  require(o.initial_factor >= 1 && o.initial_factor <= o.max_factor, "initial_factor", "in [1, max_factor]", o.initial_factor);
  require(o.granularity > 0 && std::isfinite(o.granularity), "granularity", "above 0", o.granularity);
  require(o.hysteresis >= 0 && o.hysteresis < 1, "hysteresis", "in [0, 1)", o.hysteresis);
  require(o.patience >= 1, "patience", "at least 1 window", o.patience);
  require(o.smoothing > 0 && o.smoothing <= 1, "smoothing", "in (0, 1]", o.smoothing);
  memory_.factor = o.initial_factor;
}

double AdaptiveEcho::quantised(double ratio) const {
  const double g = options_.granularity;
  return std::min(std::max(g * std::floor(ratio / g), 1.0), options_.max_factor);
}

double AdaptiveEcho::update(double upstream, double downstream) {
  Memory& m = memory_;
  const auto valid = [](double seconds) { return std::isfinite(seconds) && seconds > 0; };
  if (!valid(upstream) || !valid(downstream)) return m.factor;
  const double a = options_.smoothing;
  const bool first = m.upstream == 0;
  m.upstream = first ? upstream : a * upstream + (1 - a) * m.upstream;
  m.downstream = first ? downstream : a * downstream + (1 - a) * m.downstream;
  m.ratio = m.upstream / m.downstream;

  const double up = quantised(m.ratio / (1 + options_.hysteresis)), down = quantised(m.ratio / (1 - options_.hysteresis));
  const int64_t direction = up > m.factor ? 1 : down < m.factor ? -1 : 0;
  m.run = direction == 0 ? 0 : direction == m.direction ? m.run + 1 : 1;
  m.direction = direction;
  if (direction != 0 && m.run >= options_.patience) {
    m.factor = direction > 0 ? up : down;
    m.run = m.direction = 0;
    ++m.changes;
  }
  return m.factor;
}

void AdaptiveEcho::restore(const Memory& m) {
  const auto positive = [](double x) { return std::isfinite(x) && x >= 0; };
  if (!(m.factor >= 1 && m.factor <= options_.max_factor) || !positive(m.upstream) || !positive(m.downstream) || !(m.ratio >= 0) ||
      (m.upstream == 0) != (m.downstream == 0) || m.direction < -1 || m.direction > 1 || m.run < 0 || m.changes < 0)
    throw Error(fmt::format("adaptive echo: the saved factor {}, averages {} and {} s, run {} cannot be", m.factor, m.upstream,
                            m.downstream, m.run),
                "restore with the max_factor of the run that saved it");
  memory_ = m;
}

}  // namespace zoo::data
