// zoo describe FILE or NAME: what a weights file holds, and the network it is if it is a known one; or that of a name.
#include "apps/zoo/verbs.h"
#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/models.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

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

bool has_ending_of_weights(const std::filesystem::path& path) {
  const auto ending = path.extension();
  return ending == ".safetensors" || ending == ".npz" || ending == ".pth";
}

Json describe_network(const nn::ResNetV2Options& architecture, const DescribeOptions& options) {
  const auto* entry = bit::find_model(architecture.units, architecture.width);
  Json result = {{"network", entry ? std::string(entry->name) : "a residual network v2 of no released size"},
                 {"units", architecture.units},
                 {"width", architecture.width},
                 {"input channels", architecture.in_channels},
                 {"classes", architecture.num_classes}};
  result.update(costs(architecture, options));
  return result;
}

Json describe_name(const std::string& name, const DescribeOptions& options) {
  const auto [entry, weights] = bit::find_weights(name);
  Json result = describe_network(entry->options(weights ? weights->num_classes : entry->num_classes), options);
  if (weights) {
    result.update(
        {{"official file", weights->file},
         {"tag", weights->tag},
         {"evaluated at", fmt::format("{} pixels, {} %, {}", weights->size, 100 * weights->crop_fraction, weights->interpolation)},
         {"license", bit::kReleasedLicense}});
  }
  return result;
}

Json describe_file(const std::string& path, const DescribeOptions& options) {
  const io::Weights weights = io::load_weights(path);
  int64_t values = 0, bytes = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    values += tensor.numel();
    bytes += int64_t(tensor.nbytes());
  }
  Json result = {{"file", path}, {"tensors", weights.tensors.size()}, {"values", values}, {"bytes", bytes}};
  const auto names = bit::normalised_names(weights.tensors);
  if (const auto naming = bit::detect_naming(names)) {
    result["names"] = enum_name(*naming);
    result.update(describe_network(bit::infer_architecture(names, *naming), options));
  }
  for (const auto& [key, value] : weights.metadata) {
    result["metadata: " + key] = fmt::format("{:.200}{}", value, value.size() > 200 ? "…" : "");
  }
  if (options.tensors) result["contents"] = tensor_rows(weights.tensors);
  return result;
}

}  // namespace

Json describe(const DescribeOptions& options, const Context& context) {
  if (context.arguments.size() != 1) throw UserError("describe takes a file or a name", "zoo describe model.safetensors");
  const std::string& what = context.arguments[0];
  std::error_code unknown;
  const bool missing_file = has_ending_of_weights(what) && !bit::released_in(what).weights;
  if (missing_file || std::filesystem::exists(what, unknown)) return describe_file(what, options);
  return describe_name(what, options);
}

}  // namespace zoo::apps
