#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/complaints.h>
#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/model_info.h>
#include <libzoo/bit/models.h>
#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::bit {
namespace {

std::string shape_text(at::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// Equal but for sides of 1 at the end: a linear head may be stored with two dimensions or as a 1x1 convolution.
bool same_shape(at::IntArrayRef given, const std::vector<int64_t>& wanted, ParameterKind kind) {
  if (given == at::IntArrayRef(wanted)) return true;
  if (kind != ParameterKind::head_kernel) return false;
  const auto trimmed = [](at::IntArrayRef shape) {
    while (shape.size() > 2 && shape.back() == 1) shape = shape.slice(0, shape.size() - 1);
    return shape;
  };
  return trimmed(given) == trimmed(wanted);
}

at::Tensor widened(const at::Tensor& tensor) { return tensor.to(at::kFloat); }

// The tensors under our names and in our layout, float32: exactly the parameters of `architecture`.
NamedTensors canonical_tensors(const NamedTensors& tensors, Naming naming, const nn::ResNetV2Options& architecture,
                               const std::string& where) {
  Complaints complaints(where);
  NamedTensors ours;
  size_t used = 0;
  for (const Parameter& parameter : parameter_table(architecture)) {
    const std::string& name = parameter.name(naming);
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      complaints.add("missing " + name);
      continue;
    }
    ++used;
    const at::Tensor& tensor = found->second;
    const auto wanted = parameter.shape_in(naming);
    if (!tensor.is_floating_point())
      complaints.add(fmt::format("{} holds {}, not floating-point numbers", name, c10::toString(tensor.scalar_type())));
    else if (!same_shape(tensor.sizes(), wanted, parameter.kind))
      complaints.add(fmt::format("{} has shape {}, not {}", name, shape_text(tensor.sizes()), shape_text(wanted)));
    else
      ours.emplace(parameter.name(Naming::ours), to_ours(parameter, naming, widened(tensor)));
  }
  if (used < tensors.size()) {
    std::map<std::string, bool> known;
    for (const Parameter& parameter : parameter_table(architecture)) known.emplace(parameter.name(naming), true);
    for (const auto& [name, tensor] : tensors)
      if (!known.contains(name)) complaints.add("unexpected " + name);
  }
  complaints.throw_if_any(fmt::format("its names are those of '{}' and its root and first units those of units {}, width {}",
                                      enum_name(naming), fmt::join(architecture.units, ","), architecture.width));
  for (const auto& [name, tensor] : ours)
    if (!tensor.isfinite().all().item<bool>()) complaints.add(name + " holds NaN or infinite values");
  complaints.throw_if_any("the run that wrote the file diverged, or the file is damaged");
  return ours;
}

// `tensors` must have normalised names.
Naming require_naming(const NamedTensors& tensors, const std::string& where) {
  if (const auto naming = detect_naming(tensors)) return *naming;
  const std::string first = tensors.empty() ? "no tensors at all" : fmt::format("for example {}", tensors.begin()->first);
  throw UserError(fmt::format("{}: no BiT network: none of the {} tensors is a root convolution ({})", where, tensors.size(), first),
                  "known are the names of the official .npz and PyTorch module, timm, Hugging Face and big_vision");
}

nn::ResNetV2Options require_architecture(const NamedTensors& tensors, Naming naming, const std::map<std::string, std::string>& metadata,
                                         const std::string& where) {
  const int64_t groups = groups_from_metadata(metadata, where);
  try {
    return infer_architecture(tensors, naming, groups);
  } catch (const Error& error) {
    throw UserError(fmt::format("{}: {}", where, error.what()), error.hint());
  }
}

void require_model(const nn::ResNetV2Options& architecture, const std::string& model, const std::string& where) {
  if (model.empty()) return;
  const ModelEntry& wanted = find_model(model);
  if (wanted.units == architecture.units && wanted.width == architecture.width) return;
  throw UserError(
      fmt::format("{}: the network has units {} and width {}, {} has units {} and width {}", where, fmt::join(architecture.units, ","),
                  architecture.width, wanted.name, fmt::join(wanted.units, ","), wanted.width),
      "leave the model out to take the one of the file");
}

bool take_head(int64_t in_file, int64_t wanted, Head head, const std::string& where) {
  if (head == Head::keep && wanted != in_file)
    throw UserError(fmt::format("{}: the head has {} classes, {} were asked for", where, in_file, wanted),
                    "head: auto starts with a zero head");
  return head != Head::zero && wanted > 0 && wanted == in_file;
}

void copy_into(nn::ResNetV2& model, const NamedTensors& tensors, bool head) {
  const at::NoGradGuard no_grad;
  for (auto& entry : model->named_parameters()) {
    const bool is_head = entry.key().starts_with("head.conv.");
    if (is_head && !head)
      entry.value().zero_();
    else
      entry.value().copy_(tensors.at(entry.key()));
  }
}

NamedTensors parameters_of(const nn::ResNetV2& model) {
  NamedTensors tensors;
  for (const auto& entry : model->named_parameters()) tensors.emplace(entry.key(), entry.value().detach());
  return tensors;
}

std::string model_name(const ModelInfo& info, const nn::ResNetV2Options& architecture) {
  if (!info.name.empty()) return info.name;
  const ModelEntry* entry = find_model(architecture.units, architecture.width);
  return entry ? std::string(entry->name) : "resnetv2";
}

}  // namespace

at::Tensor adapt_input_conv(const at::Tensor& weight, int64_t in_channels) {
  if (weight.dim() != 4 || weight.size(1) != 3)
    throw Error(fmt::format("only a root kernel for 3 channels can be adapted, not {}", shape_text(weight.sizes())));
  if (in_channels < 1) throw Error(fmt::format("a network needs at least 1 input channel, not {}", in_channels));
  if (in_channels == 3) return weight;
  if (in_channels == 1) return weight.sum(1, /*keepdim=*/true);
  const auto tiled = weight.repeat({1, (in_channels + 2) / 3, 1, 1}).slice(1, 0, in_channels);
  return (tiled * (3.0 / double(in_channels))).contiguous();
}

nn::ResNetV2 with_zero_head(const nn::ResNetV2& model, int64_t num_classes) {
  auto options = model->options;
  options.num_classes = num_classes;
  nn::ResNetV2 fresh(options);
  fresh->to(model->parameters().front().device());
  copy_into(fresh, parameters_of(model), /*head=*/false);
  return fresh;
}

Checkpoint load_tensors(NamedTensors raw, const std::map<std::string, std::string>& metadata, const std::string& where,
                        const LoadOptions& options) {
  const NamedTensors tensors = normalised_names(std::move(raw));
  Checkpoint checkpoint;
  checkpoint.naming = require_naming(tensors, where);
  auto architecture = require_architecture(tensors, checkpoint.naming, metadata, where);
  require_model(architecture, options.model, where);
  NamedTensors ours = canonical_tensors(tensors, checkpoint.naming, architecture, where);
  checkpoint.info = info_of(metadata, architecture, where);

  const int64_t classes_in_file = architecture.num_classes;
  architecture.num_classes = options.num_classes.value_or(classes_in_file);
  checkpoint.head_loaded = take_head(classes_in_file, architecture.num_classes, options.head, where);
  checkpoint.classes_in_file = checkpoint.info.classes;
  if (!checkpoint.head_loaded) checkpoint.info.classes.clear(), checkpoint.info.several_labels = false;

  const int64_t channels = options.in_channels.value_or(architecture.in_channels);
  if (channels != architecture.in_channels) {
    auto& root = ours.at("root.conv.weight");
    if (root.size(1) != 3)
      throw UserError(fmt::format("{}: the network takes {} channels and can't be adapted to {}", where, root.size(1), channels));
    root = adapt_input_conv(root, channels);
    architecture.in_channels = channels;
  }
  checkpoint.architecture = architecture;
  checkpoint.info.name = model_name(checkpoint.info, architecture);
  checkpoint.model = nn::ResNetV2(architecture);
  copy_into(checkpoint.model, ours, checkpoint.head_loaded);
  return checkpoint;
}

Checkpoint load_checkpoint(const std::filesystem::path& path, const LoadOptions& options) {
  auto weights = io::load_weights(path);
  if (is_detector(weights.metadata))
    throw UserError(fmt::format("{}: a detector, not a network for whole pictures", path.string()),
                    "zoo-bit detect-evaluate and detect-predict take it; detect starts from what it was trained from");
  return load_tensors(std::move(weights.tensors), weights.metadata, path.string(), options);
}

Checkpoint load_or_build(const std::filesystem::path& checkpoint, const std::string& model, int64_t num_classes, uint64_t seed) {
  if (!checkpoint.empty()) return load_checkpoint(checkpoint, {.num_classes = num_classes, .head = Head::zero, .in_channels = 3});
  Checkpoint fresh;
  fresh.model = build(model, {.num_classes = num_classes, .seed = seed});
  fresh.info.name = find_model(model).name;
  return fresh;
}

void save_checkpoint(const std::filesystem::path& path, const nn::ResNetV2& model, const ModelInfo& info) {
  const auto& architecture = model->options;
  require_names_for_classes(info.classes, architecture.num_classes, path.string());
  ModelInfo named = info;
  named.name = model_name(info, architecture);
  io::save_weights(path, parameters_of(model), metadata_of(named, architecture));
}

void convert(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options) {
  auto weights = io::load_weights(in);
  const NamedTensors tensors = normalised_names(std::move(weights.tensors));
  const Naming naming = require_naming(tensors, in.string());
  const auto architecture = require_architecture(tensors, naming, weights.metadata, in.string());
  const NamedTensors ours = canonical_tensors(tensors, naming, architecture, in.string());
  NamedTensors renamed;
  for (const Parameter& parameter : parameter_table(architecture))
    renamed.emplace(parameter.name(options.names), from_ours(parameter, options.names, ours.at(parameter.name(Naming::ours))));
  ModelInfo info = info_of(weights.metadata, architecture, in.string());
  info.name = model_name(info, architecture);
  if (!options.classes.empty()) info.classes = options.classes;
  if (!options.license.empty()) info.license = options.license;
  require_names_for_classes(info.classes, architecture.num_classes, in.string());
  auto metadata = metadata_of(info, architecture);
  metadata.merge(weights.metadata);
  io::save_weights_by_ending(out, renamed, metadata);
}

}  // namespace zoo::bit
