// Line charts as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace zoo::apps {

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct Chart {
  std::string x, y;         // what the axes show
  std::vector<Line> lines;  // at most ten
  double target = 0;        // a dashed line across
};

// The charts beside each other; axes start at 0, the upward one below it if values do, and end at round numbers.
std::string line_charts(const std::vector<Chart>& charts);

}  // namespace zoo::apps
