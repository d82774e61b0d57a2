// zoo describe FILE: what a weights file holds, and the network it is if it is a known one.
#include "apps/zoo/verbs.h"
#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/models.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::apps {
namespace {

Json tensor_rows(const std::map<std::string, at::Tensor>& tensors) {
  Json rows = Json::array();
  for (const auto& [name, tensor] : tensors) {
    Json row = {
        {"tensor", name}, {"type", c10::toString(tensor.scalar_type())}, {"shape", fmt::format("[{}]", fmt::join(tensor.sizes(), ", "))}};
    if (tensor.numel() > 0 && at::isFloatingType(tensor.scalar_type())) {
      const auto values = tensor.to(at::kDouble);
      row.update({{"mean", values.mean().item<double>()},
                  {"deviation", values.std(false).item<double>()},
                  {"min", values.min().item<double>()},
                  {"max", values.max().item<double>()}});
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

Json describe_file(const DescribeOptions& options, const Context& context) {
  if (context.arguments.size() != 1) throw UserError("describe takes one file", "zoo describe model.safetensors");
  const std::string path = context.arguments[0];
  const io::Weights weights = io::load_weights(path);
  int64_t values = 0, bytes = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    values += tensor.numel();
    bytes += int64_t(tensor.nbytes());
  }
  Json result = {{"file", path}, {"tensors", weights.tensors.size()}, {"values", values}, {"bytes", bytes}};
  const auto names = bit::normalised_names(weights.tensors);
  if (const auto naming = bit::detect_naming(names)) {
    const auto architecture = bit::infer_architecture(names, *naming);
    const auto* entry = bit::find_model(architecture.units, architecture.width);
    result.update({{"network", entry ? std::string(entry->name) : "a residual network v2 of no released size"},
                   {"names", enum_name(*naming)},
                   {"units", architecture.units},
                   {"width", architecture.width},
                   {"input channels", architecture.in_channels},
                   {"classes", architecture.num_classes}});
  }
  for (const auto& [key, value] : weights.metadata) {
    result["metadata: " + key] = fmt::format("{:.200}{}", value, value.size() > 200 ? "…" : "");
  }
  if (options.tensors) result["contents"] = tensor_rows(weights.tensors);
  return result;
}

}  // namespace zoo::apps
