#include <libzoo/bit/models.h>

#include <libzoo/core/error.h>
#include <libzoo/core/suggest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::bit {
namespace {

constexpr int64_t k1k = 1000, k21k = 21'843;

// What was released of every architecture: trained on ILSVRC-2012, on ImageNet-21k, and on that, then on ILSVRC-2012.
struct Common {
  std::string_view small, medium, tuned;  // files
  int64_t tuned_size = 448;
};
std::vector<ReleasedWeights> released(const Common& files, std::initializer_list<ReleasedWeights> more = {}) {
  std::vector<ReleasedWeights> all{{"goog_in21k", files.medium, k21k, 224, 0.875, "bilinear"},
                                   {"goog_in21k_ft_in1k", files.tuned, k1k, files.tuned_size, 1, "bilinear"},
                                   {"", files.small, k1k, 224, 1, "bilinear"}};
  all.insert(all.end(), more);
  return all;
}

std::vector<ModelEntry> table() {
  const std::vector<int64_t> depth50{3, 4, 6, 3}, depth101{3, 4, 23, 3}, depth152{3, 8, 36, 3};
  return {
      {"resnetv2_50x1_bit",
       "R50x1",
       {},
       depth50,
       1,
       k1k,
       released({"BiT-S-R50x1.npz", "BiT-M-R50x1.npz", "BiT-M-R50x1-ILSVRC2012.npz"},
                {{"goog_distilled_in1k", "distill/R50x1_224.npz", k1k, 224, 0.875, "bicubic"},
                 {"", "distill/R50x1_160.npz", k1k, 160, 1, "bilinear"},
                 {"", "BiT-M-R50x1-CIFAR10.npz", 10, 128, 1, "bilinear"}})},
      {"resnetv2_50x3_bit", "R50x3", {}, depth50, 3, k1k, released({"BiT-S-R50x3.npz", "BiT-M-R50x3.npz", "BiT-M-R50x3-ILSVRC2012.npz"})},
      {"resnetv2_101x1_bit",
       "R101x1",
       {},
       depth101,
       1,
       k1k,
       released({"BiT-S-R101x1.npz", "BiT-M-R101x1.npz", "BiT-M-R101x1-ILSVRC2012.npz"})},
      {"resnetv2_101x3_bit",
       "R101x3",
       {},
       depth101,
       3,
       k1k,
       released({"BiT-S-R101x3.npz", "BiT-M-R101x3.npz", "BiT-M-R101x3-ILSVRC2012.npz"})},
      {"resnetv2_152x2_bit",
       "R152x2",
       {},
       depth152,
       2,
       k1k,
       released({"BiT-S-R152x2.npz", "BiT-M-R152x2.npz", "BiT-M-R152x2-ILSVRC2012.npz"},
                {{"goog_teacher_in21k_ft_in1k", "distill/R152x2_T_224.npz", k1k, 224, 0.875, "bicubic"},
                 {"goog_teacher_in21k_ft_in1k_384", "distill/R152x2_T_384.npz", k1k, 384, 1, "bicubic"}})},
      {"resnetv2_152x4_bit",
       "R152x4",
       {},
       depth152,
       4,
       k1k,
       released({"BiT-S-R152x4.npz", "BiT-M-R152x4.npz", "BiT-M-R152x4-ILSVRC2012.npz", /*tuned_size=*/480})},
      {"resnetv2_26x1_bit", "R26x1", {}, {2, 2, 2, 2}, 1, k1k, {}},
      {"resnetv2_200x3_bit", "R200x3", {}, {3, 24, 36, 3}, 3, k1k, {}},
      {"resnetv2_tiny_bit", "tiny", {"bit_tiny"}, {1, 1, 1, 1}, 0.5, 10, {}},
      {"resnetv2_tiny_x1_bit", "tiny_x1", {}, {1, 1, 1, 1}, 1, 10, {}},
  };
}

std::string_view without_folder(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == name.npos ? name : name.substr(slash + 1);
}

bool is_called(const ModelEntry& entry, std::string_view name) {
  if (entry.name == name || entry.architecture == name) return true;
  return std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end();
}

bool is_file(const ReleasedWeights& weights, std::string_view name) {
  const std::string_view file = without_folder(weights.file);
  return name == file || name == file.substr(0, file.rfind('.'));
}

[[noreturn]] void refuse_tag(const ModelEntry& entry, std::string_view tag) {
  std::vector<std::string> tags;
  for (const auto& weights : entry.weights)
    if (!weights.tag.empty()) tags.emplace_back(weights.tag);
  throw UserError(fmt::format("{} has no weights '{}'{}", entry.name, tag.substr(0, 64), did_you_mean(tag, tags)),
                  tags.empty() ? "nothing was released of it: leave the tag out" : fmt::format("known are {}", fmt::join(tags, ", ")));
}

[[noreturn]] void refuse_name(std::string_view name) {
  std::vector<std::string> shown, all;
  for (const auto& entry : models()) {
    shown.insert(shown.end(), {std::string(entry.name), std::string(entry.architecture)});
    for (const auto& weights : entry.weights) all.emplace_back(without_folder(weights.file.substr(0, weights.file.rfind('.'))));
  }
  all.insert(all.end(), shown.begin(), shown.end());
  throw UserError(fmt::format("there is no model '{}'{}", name, did_you_mean(name, all)),
                  fmt::format("known are {}", fmt::join(shown, ", ")));
}

}  // namespace

nn::ResNetV2Options ModelEntry::options(int64_t classes, int64_t in_channels) const {
  return {.units = units, .width = width, .num_classes = classes, .in_channels = in_channels};
}

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> all = table();
  return all;
}

NamedWeights find_weights(std::string_view name) {
  const std::string_view base = without_folder(name);
  const size_t dot = base.find('.');
  const std::string_view stem = base.substr(0, std::min<size_t>(dot, 64));  // no known name is longer
  for (const auto& entry : models()) {
    for (const auto& weights : entry.weights)
      if (is_file(weights, base) || is_file(weights, stem)) return {&entry, &weights};
    if (!is_called(entry, stem)) continue;
    const std::string_view tag = dot == base.npos ? std::string_view() : base.substr(dot + 1);
    if (tag.empty()) return {&entry, nullptr};
    for (const auto& weights : entry.weights)
      if (weights.tag == tag) return {&entry, &weights};
    refuse_tag(entry, tag);
  }
  refuse_name(stem);
}

NamedWeights released_in(const std::filesystem::path& file) {
  const std::string name = file.stem().string();
  for (const auto& entry : models())
    for (const auto& weights : entry.weights)
      if (is_file(weights, name) || (!weights.tag.empty() && name == fmt::format("{}.{}", entry.name, weights.tag)))
        return {&entry, &weights};
  return {nullptr, nullptr};
}

const ModelEntry& find_model(std::string_view name) { return *find_weights(name).entry; }

const ModelEntry* find_model(const std::vector<int64_t>& units, double width) {
  for (const auto& entry : models())
    if (entry.units == units && entry.width == width) return &entry;
  return nullptr;
}

nn::ResNetV2 build(std::string_view name, const BuildOptions& options) {
  const ModelEntry& entry = find_model(name);
  auto architecture = entry.options(options.num_classes < 0 ? entry.num_classes : options.num_classes, options.in_channels);
  architecture.seed = options.seed;
  return nn::ResNetV2(architecture);
}

}  // namespace zoo::bit
