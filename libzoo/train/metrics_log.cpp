#include <libzoo/train/metrics_log.h>

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace zoo::train {

Value::Value(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.numel() != 1) {
    throw Error(tensor.defined() ? fmt::format("a tensor with {} elements can't be logged as a value", tensor.numel())
                                 : "an undefined tensor can't be logged");
  }
  const at::Tensor detached = tensor.detach();
  if (!detached.device().is_cpu()) {
    held_ = detached.clone();  // what is logged must not change when the caller goes on with its tensor
  } else if (at::isIntegralType(detached.scalar_type(), /*includeBool=*/true)) {
    held_ = detached.item<int64_t>();
  } else {
    held_ = detached.item<double>();
  }
}

double Value::number() const {
  if (const auto* tensor = std::get_if<at::Tensor>(&held_)) return tensor->item<double>();
  if (const auto* integer = std::get_if<int64_t>(&held_)) return double(*integer);
  return std::get<double>(held_);
}

MetricsLog::MetricsLog(const std::filesystem::path& path, std::function<void(const Row&, const Numbers&)> settled)
    : lines_(path), settled_(std::move(settled)) {}

void MetricsLog::add(int64_t step, const NamedValues& values) {
  if (rows_.empty() || rows_.back().step != step) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    rows_.push_back({step, double(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) / 1000.0, {}});
  }
  NamedValues& row = rows_.back().values;
  for (const auto& [name, value] : values) {
    if (name == "step" || name == "time") throw Error(fmt::format("a value can't be logged as '{}', every line has one", name));
    const auto same = std::find_if(row.begin(), row.end(), [&](const auto& entry) { return entry.first == name; });
    if (same == row.end()) {
      row.emplace_back(name, value);
    } else {
      same->second = value;
    }
  }
}

bool MetricsLog::holds_tensors() const {
  const auto is_tensor = [](const auto& entry) { return std::holds_alternative<at::Tensor>(entry.second.held()); };
  const auto has_one = [&](const Row& row) { return std::any_of(row.values.begin(), row.values.end(), is_tensor); };
  return std::any_of(rows_.begin(), rows_.end(), has_one);
}

void MetricsLog::settle() {
  // One transfer for all of them.
  std::vector<at::Tensor> tensors;
  for (const Row& row : rows_) {
    for (const auto& [name, value] : row.values) {
      if (const auto* tensor = std::get_if<at::Tensor>(&value.held())) tensors.push_back(tensor->reshape({}).to(at::kDouble));
    }
  }
  at::Tensor read;
  if (!tensors.empty()) read = at::stack(tensors).cpu();
  const double* next = tensors.empty() ? nullptr : read.const_data_ptr<double>();

  for (const Row& row : rows_) {
    Json line{{"step", row.step}, {"time", row.time}};
    Numbers numbers;
    for (const auto& [name, value] : row.values) {
      if (const auto* integer = std::get_if<int64_t>(&value.held())) {
        line[name] = *integer;
        numbers.emplace_back(name, double(*integer));
        continue;
      }
      const double* number = std::get_if<double>(&value.held());
      const double real = number ? *number : *next++;
      line[name] = std::isfinite(real) ? Json(real) : Json(nullptr);
      numbers.emplace_back(name, real);
    }
    lines_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace));
    settled_(row, numbers);
    last_ = std::move(numbers);
  }
  rows_.clear();
}

}  // namespace zoo::train
