#include <libzoo/bit/names.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <string_view>

namespace zoo::bit {
namespace {

using Names = std::array<std::string, 5>;  // by Naming: ours, official, timm, hf, big_vision

Names root_kernel() {
  return {"root.conv.weight", "resnet/root_block/standardized_conv2d/kernel", "stem.conv.weight", "bit.embedder.convolution.weight",
          "root_block/conv_root/kernel"};
}

Names head_norm(bool weight) {
  const char* torch = weight ? "weight" : "bias";
  return {fmt::format("head.gn.{}", torch), fmt::format("resnet/group_norm/{}", weight ? "gamma" : "beta"), fmt::format("norm.{}", torch),
          fmt::format("bit.norm.{}", torch), fmt::format("norm-pre-head/{}", weight ? "scale" : "bias")};
}

Names head(bool weight) {
  const char* torch = weight ? "weight" : "bias";
  const char* official = weight ? "kernel" : "bias";
  return {fmt::format("head.conv.{}", torch), fmt::format("resnet/head/conv2d/{}", official), fmt::format("head.fc.{}", torch),
          fmt::format("classifier.1.{}", torch), fmt::format("head/{}", official)};
}

// block and unit count from 1; i is 1, 2 or 3 (a, b, c in the official files).
Names unit_kernel(int64_t block, int64_t unit, int i) {
  return {fmt::format("body.block{}.unit{:02}.conv{}.weight", block, unit, i),
          fmt::format("resnet/block{}/unit{:02}/{}/standardized_conv2d/kernel", block, unit, "abc"[i - 1]),
          fmt::format("stages.{}.blocks.{}.conv{}.weight", block - 1, unit - 1, i),
          fmt::format("bit.encoder.stages.{}.layers.{}.conv{}.weight", block - 1, unit - 1, i),
          fmt::format("block{}/unit{:02}/conv{}/kernel", block, unit, i)};
}

Names unit_projection(int64_t block, int64_t unit) {
  return {fmt::format("body.block{}.unit{:02}.downsample.weight", block, unit),
          fmt::format("resnet/block{}/unit{:02}/a/proj/standardized_conv2d/kernel", block, unit),
          fmt::format("stages.{}.blocks.{}.downsample.conv.weight", block - 1, unit - 1),
          fmt::format("bit.encoder.stages.{}.layers.{}.downsample.conv.weight", block - 1, unit - 1),
          fmt::format("block{}/unit{:02}/conv_proj/kernel", block, unit)};
}

Names unit_norm(int64_t block, int64_t unit, int i, bool weight) {
  const char* torch = weight ? "weight" : "bias";
  return {fmt::format("body.block{}.unit{:02}.gn{}.{}", block, unit, i, torch),
          fmt::format("resnet/block{}/unit{:02}/{}/group_norm/{}", block, unit, "abc"[i - 1], weight ? "gamma" : "beta"),
          fmt::format("stages.{}.blocks.{}.norm{}.{}", block - 1, unit - 1, i, torch),
          fmt::format("bit.encoder.stages.{}.layers.{}.norm{}.{}", block - 1, unit - 1, i, torch),
          fmt::format("block{}/unit{:02}/gn{}/{}", block, unit, i, weight ? "scale" : "bias")};
}

class TableBuilder {
 public:
  void kernel(Names names, int64_t out, int64_t in, int64_t side) { add(std::move(names), {out, in, side, side}, ParameterKind::kernel); }
  template <class MakeNames>
  void norm(MakeNames make, int64_t channels) {
    add(make(true), {channels}, ParameterKind::norm_weight);
    add(make(false), {channels}, ParameterKind::norm_bias);
  }
  void add(Names names, std::vector<int64_t> shape, ParameterKind kind) { table_.push_back({std::move(names), std::move(shape), kind}); }

  std::vector<Parameter> sorted() && {
    const auto before = [](const Parameter& a, const Parameter& b) { return a.name(Naming::official) < b.name(Naming::official); };
    std::sort(table_.begin(), table_.end(), before);
    return std::move(table_);
  }

 private:
  std::vector<Parameter> table_;
};

void add_unit(TableBuilder& table, int64_t block, int64_t unit, int64_t in, int64_t middle) {
  const int64_t out = 4 * middle;
  table.norm([&](bool weight) { return unit_norm(block, unit, 1, weight); }, in);
  table.kernel(unit_kernel(block, unit, 1), middle, in, 1);
  table.norm([&](bool weight) { return unit_norm(block, unit, 2, weight); }, middle);
  table.kernel(unit_kernel(block, unit, 2), middle, middle, 3);
  table.norm([&](bool weight) { return unit_norm(block, unit, 3, weight); }, middle);
  table.kernel(unit_kernel(block, unit, 3), out, middle, 1);
  if (unit == 1) table.kernel(unit_projection(block, unit), out, in, 1);
}

NamedTensors without_common(NamedTensors tensors, std::string_view prefix) {
  if (!std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first.starts_with(prefix); })) return tensors;
  NamedTensors shorter;
  for (auto& [name, tensor] : tensors) shorter.emplace(name.substr(prefix.size()), std::move(tensor));
  return shorter;
}

const at::Tensor* find(const NamedTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

bool is_hwio(Naming naming) { return naming == Naming::official || naming == Naming::big_vision; }

}  // namespace

std::vector<int64_t> Parameter::shape_in(Naming naming) const {
  const bool kernel_like = kind == ParameterKind::kernel || kind == ParameterKind::head_kernel;
  if (kind == ParameterKind::head_kernel && naming == Naming::hf) return {shape[0], shape[1]};
  if (kind == ParameterKind::head_kernel && naming == Naming::big_vision) return {shape[1], shape[0]};
  if (kernel_like && is_hwio(naming)) return {shape[2], shape[3], shape[1], shape[0]};
  if (naming == Naming::big_vision && kind != ParameterKind::head_bias && !kernel_like) return {1, 1, 1, shape[0]};
  return shape;
}

int64_t Parameter::count() const {
  int64_t product = 1;
  for (int64_t side : shape) product *= side;
  return product;
}

std::vector<Parameter> parameter_table(const nn::ResNetV2Options& architecture) {
  TableBuilder table;
  const int64_t root = int64_t(std::lround(64 * architecture.width));
  int64_t channels = root;
  table.kernel(root_kernel(), channels, architecture.in_channels, 7);
  for (size_t b = 0; b < architecture.units.size(); ++b) {
    const int64_t middle = root << b;
    for (int64_t u = 1; u <= architecture.units[b]; ++u) {
      add_unit(table, int64_t(b) + 1, u, channels, middle);
      channels = 4 * middle;
    }
  }
  table.norm([](bool weight) { return head_norm(weight); }, channels);
  if (architecture.num_classes > 0) {
    table.add(head(true), {architecture.num_classes, channels, 1, 1}, ParameterKind::head_kernel);
    table.add(head(false), {architecture.num_classes}, ParameterKind::head_bias);
  }
  return std::move(table).sorted();
}

int64_t parameter_count(const nn::ResNetV2Options& architecture) {
  int64_t sum = 0;
  for (const auto& parameter : parameter_table(architecture)) sum += parameter.count();
  return sum;
}

at::Tensor to_ours(const Parameter& parameter, Naming naming, const at::Tensor& tensor) {
  if (tensor.dim() == 4 && is_hwio(naming)) {
    if (parameter.shape.size() == 1) return tensor.reshape(parameter.shape).contiguous();
    return tensor.permute({3, 2, 0, 1}).contiguous();
  }
  if (parameter.kind == ParameterKind::head_kernel && naming == Naming::big_vision) return tensor.t().reshape(parameter.shape).contiguous();
  return tensor.reshape(parameter.shape).contiguous();
}

at::Tensor from_ours(const Parameter& parameter, Naming naming, const at::Tensor& tensor) {
  const auto shape = parameter.shape_in(naming);
  if (parameter.kind == ParameterKind::head_kernel && naming == Naming::big_vision) return tensor.flatten(1).t().contiguous();
  if (shape.size() == 4 && parameter.shape.size() == 4 && is_hwio(naming)) return tensor.permute({2, 3, 1, 0}).contiguous();
  return tensor.reshape(shape).contiguous();
}

std::string without_number(const std::string& official) {
  static const std::regex numbered("/standardized_conv2d_[0-9]+/");
  return std::regex_replace(official, numbered, "/standardized_conv2d/");
}

NamedTensors normalised_names(NamedTensors tensors) {
  tensors = without_common(std::move(tensors), "module.");
  tensors = without_common(std::move(tensors), "params/");
  NamedTensors clean;
  for (auto& [name, tensor] : tensors) {
    const auto [at, added] = clean.emplace(without_number(name), std::move(tensor));
    if (!added) throw UserError(fmt::format("two tensors are called {} once scopes are not numbered", at->first));
  }
  return clean;
}

std::optional<Naming> detect_naming(const NamedTensors& tensors) {
  const auto roots = root_kernel();
  for (size_t i = 0; i < roots.size(); ++i)
    if (tensors.contains(roots[i])) return Naming(i);
  return {};
}

nn::ResNetV2Options infer_architecture(const NamedTensors& tensors, Naming naming, int64_t groups) {
  const auto names = [&](const Names& all) { return all[size_t(naming)]; };
  const at::Tensor* root = find(tensors, names(root_kernel()));
  if (!root || root->dim() != 4) throw UserError(fmt::format("there is no root convolution {} with four dimensions", names(root_kernel())));
  nn::ResNetV2Options architecture;
  const int64_t filters = root->size(is_hwio(naming) ? 3 : 0);
  if (filters < 1 || filters % groups != 0)
    throw UserError(fmt::format("{} has {} filters; a BiT network has a multiple of {}", names(root_kernel()), filters, groups));
  architecture.groups = groups;
  architecture.width = double(filters) / 64;
  architecture.in_channels = root->size(is_hwio(naming) ? 2 : 1);
  architecture.units.clear();
  for (int64_t block = 1; find(tensors, names(unit_kernel(block, 1, 1))); ++block) {
    int64_t units = 1;
    while (find(tensors, names(unit_kernel(block, units + 1, 1)))) ++units;
    architecture.units.push_back(units);
  }
  if (architecture.units.empty()) throw UserError(fmt::format("there is no {}: the network has no units", names(unit_kernel(1, 1, 1))));
  if (architecture.units.size() > 4)
    throw UserError(fmt::format("the file has {} blocks; a BiT network has 1 to 4", architecture.units.size()));
  const at::Tensor* bias = find(tensors, names(head(false)));
  const at::Tensor* kernel = find(tensors, names(head(true)));
  if (bias && bias->dim() == 1)
    architecture.num_classes = bias->size(0);
  else
    architecture.num_classes = kernel && kernel->dim() > 1 ? kernel->size(is_hwio(naming) ? kernel->dim() - 1 : 0) : 0;
  return architecture;
}

}  // namespace zoo::bit
