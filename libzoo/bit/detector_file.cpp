#include <libzoo/bit/complaints.h>
#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/model_info.h>
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/options.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::bit {
namespace {

constexpr const char* kDetector = "zoo.detector";
constexpr const char* kClasses = "zoo.classes";
constexpr const char* kPreprocessing = "zoo.preprocessing";
constexpr std::string_view kBackbone = "backbone.";

// The value of zoo.detector.
struct Layout {
  int64_t size = 0;
  AnchorOptions anchors;
};

template <class Field>
void fields(Field& field, Layout& o) {
  field("size", o.size, "pixels, of the square canvas", required(), between(1, 65536));
  field("anchors", o.anchors, "boxes that detections start from", required());
}

using Metadata = std::map<std::string, std::string>;

const at::Tensor& tensor_of(const NamedTensors& tensors, const std::string& name, int64_t dimensions, const std::string& where) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw UserError(fmt::format("{}: missing {}", where, name));
  if (found->second.dim() != dimensions || found->second.numel() == 0)
    throw UserError(fmt::format("{}: {} has shape [{}]", where, name, fmt::join(found->second.sizes(), ", ")));
  return found->second;
}

// Read off the tensors, so that nothing is allocated that the file does not hold.
DetectorOptions options_of(const NamedTensors& tensors, const AnchorOptions& anchors, const std::string& where) {
  DetectorOptions options{.anchors = anchors};
  const auto& last = tensor_of(tensors, "head.class_logits.weight", 4, where);
  options.channels = last.size(1);
  options.num_classes = last.size(0) / anchors.per_cell();
  const auto& same = tensor_of(tensors, "fpn.layer_blocks.0.weight", 4, where);
  if (same.size(0) != options.channels || same.size(1) != options.channels)
    throw UserError(fmt::format("{}: fpn.layer_blocks.0.weight has shape [{}], the heads take {} channels", where,
                                fmt::join(same.sizes(), ", "), options.channels));
  constexpr int64_t kMostDepth = 16;
  options.depth = 0;
  while (options.depth < kMostDepth && tensors.contains(fmt::format("head.class_convs.{}.weight", options.depth))) ++options.depth;
  return options;
}

// Splits off the tensors of the backbone, under their own names.
NamedTensors take_backbone(NamedTensors& tensors) {
  NamedTensors backbone;
  for (auto it = tensors.lower_bound(std::string(kBackbone)); it != tensors.end() && it->first.starts_with(kBackbone);) {
    backbone.emplace(it->first.substr(kBackbone.size()), std::move(it->second));
    it = tensors.erase(it);
  }
  return backbone;
}

void fill(Detector& model, const NamedTensors& tensors, const std::string& where) {
  Complaints wrong(where);
  size_t used = 0;
  at::NoGradGuard no_grad;
  for (auto& entry : model->named_parameters()) {
    if (entry.key().starts_with(kBackbone)) continue;
    const auto found = tensors.find(entry.key());
    if (found == tensors.end()) {
      wrong.add("missing " + entry.key());
      continue;
    }
    ++used;
    const at::Tensor& value = found->second;
    if (value.sizes() != entry.value().sizes())
      wrong.add(
          fmt::format("{} has shape [{}], not [{}]", entry.key(), fmt::join(value.sizes(), ", "), fmt::join(entry.value().sizes(), ", ")));
    else if (!value.is_floating_point() || !value.isfinite().all().item<bool>())
      wrong.add(entry.key() + " holds values that are no finite floating-point numbers");
    else
      entry.value().copy_(value);
  }
  if (used < tensors.size())
    for (const auto& [name, tensor] : tensors)
      if (!model->named_parameters().contains(name)) wrong.add("unexpected " + name);
  wrong.throw_if_any();
}

}  // namespace

bool is_detector(const Metadata& metadata) { return metadata.contains(kDetector); }

void save_detector(const std::filesystem::path& path, const Detector& model, const ModelInfo& info) {
  if (int64_t(info.classes.size()) != model->options.num_classes)
    throw Error(fmt::format("{} class names for {} classes", info.classes.size(), model->options.num_classes));
  NamedTensors tensors;
  for (const auto& entry : model->named_parameters()) tensors.emplace(entry.key(), entry.value().detach());
  Metadata metadata = metadata_of(info, model->backbone->options);
  metadata.erase(kPreprocessing);
  metadata[kDetector] = options_json(Layout{.size = info.preprocessing.size, .anchors = model->options.anchors}).dump();
  io::save_weights(path, tensors, metadata);
}

LoadedDetector load_detector(const std::filesystem::path& path) {
  const std::string where = path.string();
  auto [tensors, metadata] = io::load_weights(path);
  if (!is_detector(metadata)) throw UserError(fmt::format("{}: no detector", where), "train one from it: zoo-bit detect");
  Layout layout;
  load_options(layout, {ConfigLayer::from_text(fmt::format("{}: metadata {}", where, kDetector), metadata.at(kDetector))});
  const NamedTensors body = take_backbone(tensors);
  const DetectorOptions options = options_of(tensors, layout.anchors, where);
  LoadedDetector loaded;
  loaded.info = info_of(metadata, {.num_classes = options.num_classes}, where);
  loaded.info.preprocessing.size = layout.size;
  if (loaded.info.classes.empty()) throw UserError(fmt::format("{}: metadata {}: no names of classes", where, kClasses));
  metadata.erase(kClasses);
  auto backbone = load_tensors(body, metadata, where, {.num_classes = 0});
  loaded.model = Detector(backbone.model, options);
  fill(loaded.model, tensors, where);
  return loaded;
}

}  // namespace zoo::bit
