// metrics.jsonl: a line {"step": 12, "time": 1700000000.125, "loss": 0.5, …} per logged step. Several calls for one step
// are merged; tensors on a device are read back together, when somebody needs them.
//
//   metrics.add(step, {{"loss", loss}});  …  metrics.settle();
#pragma once

#include <libzoo/train/line_file.h>
#include <libzoo/train/value.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace zoo::train {

class MetricsLog {
 public:
  struct Row {
    int64_t step = 0;
    double time = 0;                                      // seconds since 1970
    NamedValues values;
  };
  using Numbers = std::vector<std::pair<std::string, double>>;

  // `settled` gets each row once its numbers are known, in order.
  MetricsLog(const std::filesystem::path& path, std::function<void(const Row&, const Numbers&)> settled);

  void add(int64_t step, const NamedValues& values);
  bool holds_tensors() const;
  void settle();                        // reads all values and appends the lines; they reach the file with lines().flush()
  void forget() { rows_.clear(); }
  const Numbers& last() const { return last_; }  // the numbers of the last settled row
  LineFile& lines() { return lines_; }

 private:
  LineFile lines_;
  std::function<void(const Row&, const Numbers&)> settled_;
  std::vector<Row> rows_;
  Numbers last_;
};

}  // namespace zoo::train
