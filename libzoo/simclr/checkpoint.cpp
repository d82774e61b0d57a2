#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/io/weights.h>
#include <libzoo/simclr/checkpoint.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::simclr {
namespace {

constexpr const char* kOptions = "zoo.options";
constexpr const char* kClasses = "zoo.classes";
constexpr const char* kPreprocessing = "zoo.preprocessing";
constexpr size_t kMostListed = 20;
constexpr int64_t kSmallPicture = 32, kPicture = 224;

using Metadata = std::map<std::string, std::string>;

bool passed_over(const std::string& name) {
  return name == "global_step" || name.starts_with("ema_model/") || name.ends_with("/Momentum") || name.ends_with("num_batches_tracked");
}

template <class E>
E choice(const Json& json, const char* key, const std::string& where) {
  for (const auto& entry : enum_names(E{}).entries)
    if (json.at(key) == entry.name) return entry.value;
  throw UserError(fmt::format("{}: metadata: {} can't be {}", where, key, json.at(key).dump()));
}

std::optional<Json> metadata_value(const Metadata& metadata, const char* key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  return parse_json(found->second, fmt::format("{}: metadata {}", where, key));
}

Json to_json(const NetworkOptions& o) {
  return {{"encoder", o.encoder},         {"se_ratio", o.se_ratio},         {"small_stem", o.small_stem}, {"head", enum_name(o.head)},
          {"head_layers", o.head_layers}, {"head_outputs", o.head_outputs}, {"head_keep", o.head_keep},   {"num_classes", o.num_classes}};
}

// What the file is known to hold, by its metadata or else by its tensors.
NetworkOptions options_of(const NamedTensors& tensors, Naming naming, const Metadata& metadata, const LoadOptions& load,
                          const std::string& where) {
  try {
    if (const auto json = metadata_value(metadata, kOptions, where); json && naming == Naming::ours && json->contains("encoder")) {
      return {.encoder = json->at("encoder"),
              .se_ratio = json->at("se_ratio"),
              .small_stem = json->at("small_stem"),
              .head = choice<HeadMode>(*json, "head", where),
              .head_layers = json->at("head_layers"),
              .head_outputs = json->at("head_outputs"),
              .head_keep = json->at("head_keep"),
              .num_classes = json->at("num_classes"),
              .seed = {}};
    }
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: metadata {}: {}", where, kOptions, error.what()));
  }
  try {
    auto options = infer_options(tensors, naming);
    if (load.selector && *load.selector >= 0 && options.num_classes > 0) options.head_keep = *load.selector;
    return options;
  } catch (const Error& error) {
    throw UserError(fmt::format("{}: {}", where, error.what()), error.hint());
  }
}

ModelInfo info_of(const NetworkOptions& options, const Metadata& metadata, const std::string& where) {
  ModelInfo info{.size = options.small_stem || options.encoder == "small" ? kSmallPicture : kPicture, .classes = {}};
  try {
    if (const auto json = metadata_value(metadata, kPreprocessing, where)) {
      info.size = json->at("size");
      info.resize = choice<ViewResize>(*json, "resize", where);
    }
    if (const auto json = metadata_value(metadata, kClasses, where)) info.classes = json->get<std::vector<std::string>>();
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: metadata: {}", where, error.what()));
  }
  if (info.size < 1 || info.size > 4096) throw UserError(fmt::format("{}: metadata: pictures of {} pixels", where, info.size));
  if (!info.classes.empty() && int64_t(info.classes.size()) != options.num_classes)
    throw UserError(fmt::format("{}: {} class names for {} classes", where, info.classes.size(), options.num_classes));
  return info;
}

// Under our names and in our layout.
NamedTensors renamed(NamedTensors tensors, Naming naming, const Network& network) {
  NamedTensors ours;
  std::map<std::string, std::string> official;
  if (naming == Naming::official)
    for (const auto& entry : official_entries(network)) official.emplace(entry.official, entry.ours);
  for (auto& [name, tensor] : tensors) {
    if (passed_over(name)) continue;
    if (naming == Naming::official) {
      const auto found = official.find(name);
      ours.emplace(found == official.end() ? name : found->second, from_official(tensor));
    } else {
      ours.emplace(naming == Naming::torchvision ? from_torchvision(name) : name, tensor);
    }
  }
  return ours;
}

// The projection's layers beyond those that are kept may be in the file.
bool dropped(const std::string& name, const NetworkOptions& options) {
  return options.head_keep >= 0 && name.starts_with("projection.") && std::atoll(name.c_str() + 11) >= options.head_keep;
}

void copy_into(const Network& network, const NamedTensors& tensors, const std::string& where) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> problems;
  const auto shape = [](const at::Tensor& tensor) { return fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")); };
  const auto wanted = named_tensors(network);
  for (auto [name, tensor] : wanted) {
    const auto found = tensors.find(name);
    if (found == tensors.end())
      problems.push_back("missing " + name);
    else if (!found->second.is_floating_point())
      problems.push_back(name + " holds no floating-point numbers");
    else if (found->second.sizes() != tensor.sizes())
      problems.push_back(fmt::format("{} has shape {}, not {}", name, shape(found->second), shape(tensor)));
    else if (!found->second.isfinite().all().item<bool>())
      problems.push_back(name + " holds NaN or infinite values");
    else
      tensor.copy_(found->second);
  }
  for (const auto& [name, tensor] : tensors)
    if (!wanted.contains(name) && !dropped(name, network->options)) problems.push_back("unexpected " + name);
  if (problems.empty()) return;
  const size_t listed = std::min(problems.size(), kMostListed);
  throw UserError(fmt::format("{}: {}{}", where, fmt::join(problems.begin(), problems.begin() + int64_t(listed), "; "),
                              listed < problems.size() ? fmt::format("; and {} more", problems.size() - listed) : ""),
                  fmt::format("taken for {} with {} layers of projection and {} classes", network->options.encoder,
                              network->options.head == HeadMode::none ? 0 : network->options.head_layers, network->options.num_classes));
}

// The same network with fewer layers of projection, or another classifier.
Network rebuilt(const Network& from, const NetworkOptions& options, bool keep_classifier) {
  Network to(options);
  const at::NoGradGuard no_grad;
  const auto old = named_tensors(from);
  for (auto [name, tensor] : named_tensors(to)) {
    if (name.starts_with("head.") && !keep_classifier) continue;
    tensor.copy_(old.at(name));
  }
  return to;
}

struct Loaded {
  Checkpoint checkpoint;
  Metadata metadata;
};

Loaded load(const std::filesystem::path& path, const LoadOptions& options) {
  const std::string where = path.string();
  auto weights = io::load_weights(path);
  const auto naming = detect_naming(weights.tensors);
  if (!naming)
    throw UserError(fmt::format("{}: no SimCLR network: none of the {} tensors is the first convolution", where, weights.tensors.size()),
                    "known are the names of the official TensorFlow checkpoints, of torchvision, and ours");
  const auto architecture = options_of(weights.tensors, *naming, weights.metadata, options, where);
  Checkpoint checkpoint;
  checkpoint.naming = *naming;
  checkpoint.info = info_of(architecture, weights.metadata, where);
  checkpoint.network = Network(architecture);
  copy_into(checkpoint.network, renamed(std::move(weights.tensors), *naming, checkpoint.network), where);

  auto wanted = architecture;
  wanted.num_classes = options.num_classes.value_or(architecture.num_classes);
  if (options.selector) wanted.head_keep = *options.selector;
  if (wanted.head_keep == -1 && architecture.head_keep >= 0) wanted.head = HeadMode::none;  // what was dropped does not come back
  checkpoint.classifier_loaded = wanted.num_classes > 0 && wanted.num_classes == architecture.num_classes && !options.new_classifier &&
                                 wanted.head_keep == architecture.head_keep;
  if (!checkpoint.classifier_loaded) checkpoint.info.classes.clear();
  if (wanted.num_classes != architecture.num_classes || wanted.head_keep != architecture.head_keep || options.new_classifier) {
    if (wanted.head_keep > architecture.head_keep && architecture.head_keep >= 0)
      throw UserError(
          fmt::format("{}: only {} layers of the projection were kept, {} are asked for", where, architecture.head_keep, wanted.head_keep));
    checkpoint.network = rebuilt(checkpoint.network, wanted, checkpoint.classifier_loaded);
  }
  return {std::move(checkpoint), std::move(weights.metadata)};
}

Metadata metadata_of(const NetworkOptions& options, const ModelInfo& info) {
  Metadata metadata{{"format", "pt"},
                    {"zoo.model", "simclr"},
                    {kOptions, to_json(options).dump()},
                    {kPreprocessing, Json{{"size", info.size}, {"resize", enum_name(info.resize)}}.dump()}};
  if (!info.classes.empty()) metadata.emplace(kClasses, Json(info.classes).dump());
  return metadata;
}

}  // namespace

Checkpoint load_checkpoint(const std::filesystem::path& path, const LoadOptions& options) { return load(path, options).checkpoint; }

void save_checkpoint(const std::filesystem::path& path, const Network& network, const ModelInfo& info) {
  io::save_weights(path, named_tensors(network), metadata_of(network->options, info));
}

void convert(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options) {
  auto [checkpoint, metadata] = load(in, {.selector = options.selector});
  const auto& network = checkpoint.network;
  if (!options.classes.empty()) checkpoint.info.classes = options.classes;
  if (!checkpoint.info.classes.empty() && int64_t(checkpoint.info.classes.size()) != network->options.num_classes)
    throw UserError(
        fmt::format("{}: {} class names for {} classes", in.string(), checkpoint.info.classes.size(), network->options.num_classes));
  auto tensors = named_tensors(network);
  if (options.names == Naming::torchvision) throw UserError("networks are not written under torchvision's names", "ours or official");
  if (options.names == Naming::official) {
    NamedTensors official;
    for (const auto& entry : official_entries(network)) official.emplace(entry.official, to_official(tensors.at(entry.ours)));
    tensors = std::move(official);
  }
  auto all = metadata_of(network->options, checkpoint.info);
  all.merge(metadata);
  io::save_weights_by_ending(out, tensors, all);
}

}  // namespace zoo::simclr
