#include "apps/common/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace zoo::apps {
namespace {

constexpr double kWidth = 420, kHeight = 280, kLeft = 56, kTop = 16, kSpace = 90;
constexpr std::array kColors = {"#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951",
                                "#9c6b4e", "#a463f2", "#97bbf5", "#9498a0", "#ff8ab7"};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

// 1, 2 or 5 times a power of ten: between three and seven of them reach `end`.
double tick_step(double end) {
  const double power = std::pow(10, std::floor(std::log10(end / 3)));
  for (const double step : {5.0, 2.0})
    if (end / (step * power) >= 3) return step * power;
  return power;
}

struct Axis {
  double step, begin, end;
  explicit Axis(double largest, double smallest = 0)
      : step(tick_step(std::max(largest - smallest, 1e-9))),
        begin(step * std::floor(smallest / step)),
        end(step * std::ceil(largest / step)) {
    if (end <= begin) end = begin + step;
  }
};

std::string drawn(const Chart& chart, double left) {
  double largest_x = 0, largest_y = std::max(chart.target, 0.0), smallest_y = std::min(chart.target, 0.0);
  for (const Line& line : chart.lines)
    for (const auto& [x, y] : line.points)
      largest_x = std::max(largest_x, x), largest_y = std::max(largest_y, y), smallest_y = std::min(smallest_y, y);
  const Axis across(largest_x), up(largest_y, smallest_y);
  const auto at_x = [&](double x) { return left + kLeft + kWidth * x / across.end; };
  const auto at_y = [&](double y) { return kTop + kHeight * (up.end - y) / (up.end - up.begin); };

  std::string svg;
  for (int i = 0; i * across.step <= across.end * 1.001; ++i)
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{:g}</text>\n", at_x(i * across.step), kTop + kHeight + 18,
                       i * across.step);
  for (double y = up.begin; y <= up.end + 0.001 * up.step; y += up.step)
    svg += fmt::format("<path d='M{:.1f} {:.1f}h{}' stroke='#ddd'/><text x='{:.1f}' y='{:.1f}' text-anchor='end'>{:g}</text>\n", at_x(0),
                       at_y(y), kWidth, at_x(0) - 6, at_y(y) + 4, std::abs(y) < 1e-9 * up.step ? 0.0 : y);
  svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>\n", left + kLeft + kWidth / 2, kTop + kHeight + 38,
                     escaped(chart.x));
  svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle' transform='rotate(-90 {:.1f} {:.1f})'>{}</text>\n", left + 14,
                     kTop + kHeight / 2, left + 14, kTop + kHeight / 2, escaped(chart.y));
  svg += fmt::format("<path d='M{:.1f} {:.1f}h{}' stroke='#888' stroke-dasharray='5 4'/>\n", at_x(0), at_y(chart.target), kWidth);
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const Line& line = chart.lines[i];
    std::string points;
    for (const auto& [x, y] : line.points) points += fmt::format("{:.1f},{:.1f} ", at_x(x), at_y(y));
    const char* color = kColors[i % kColors.size()];
    svg += fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='2'/>\n", points, color);
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' fill='{}'>{}</text>\n", at_x(0) + kWidth - 90, kTop + kHeight - 14.0 - 16.0 * double(i),
                       color, escaped(line.name));
  }
  return svg;
}

}  // namespace

std::string line_charts(const std::vector<Chart>& charts) {
  const double width = (kLeft + kWidth + kSpace) * double(charts.size()) - kSpace + 24, height = kTop + kHeight + 52;
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {:.0f} {:.0f}' font-family='sans-serif' font-size='12'>\n"
      "<rect width='100%' height='100%' fill='white'/>\n",
      width, height);
  for (size_t i = 0; i < charts.size(); ++i) svg += drawn(charts[i], double(i) * (kLeft + kWidth + kSpace));
  return svg + "</svg>\n";
}

}  // namespace zoo::apps
