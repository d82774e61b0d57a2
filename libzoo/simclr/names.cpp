#include <libzoo/core/error.h>
#include <libzoo/simclr/names.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <set>

namespace zoo::simclr {
namespace {

constexpr std::array<const char*, 4> kNormParts{"gamma", "beta", "moving_mean", "moving_variance"};
constexpr std::array<const char*, 4> kOurNormParts{"weight", "bias", "running_mean", "running_var"};

std::vector<int64_t> official_shape(const at::Tensor& ours) {
  const auto s = ours.sizes();
  if (s.size() == 4) return {s[2], s[3], s[1], s[0]};
  if (s.size() == 2) return {s[1], s[0]};
  return s.vec();
}

std::string numbered(const char* layer, int64_t number) { return number == 0 ? layer : fmt::format("{}_{}", layer, number); }

class EntryBuilder {
 public:
  void add(const std::string& official, const at::Tensor& tensor, const std::string& ours) {
    entries_.push_back({official, official_shape(tensor), ours});
  }
  void norm(const std::string& scope, const nn::BatchNormImpl& bn, const std::string& ours) {
    const std::array<const at::Tensor*, 4> tensors{&bn.weight, &bn.bias, &bn.running_mean, &bn.running_var};
    for (size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i]->defined()) add(fmt::format("{}/{}", scope, kNormParts[i]), *tensors[i], fmt::format("{}.{}", ours, kOurNormParts[i]));
  }
  std::vector<OfficialEntry> take() && { return std::move(entries_); }

 private:
  std::vector<OfficialEntry> entries_;
};

// Modules come in the order of their registration, which is the official order of creation.
void add_encoder(EntryBuilder& to, const nn::ResNetImpl& encoder) {
  int64_t convs = 0, norms = 0;
  for (const auto& entry : encoder.named_modules()) {
    if (const auto* conv = dynamic_cast<const nn::PlainConvImpl*>(entry.value().get())) {
      const auto scope = "base_model/" + numbered("conv2d", convs++);
      to.add(scope + "/kernel", conv->weight, entry.key() + ".weight");
      if (conv->bias.defined()) to.add(scope + "/bias", conv->bias, entry.key() + ".bias");
    } else if (const auto* bn = dynamic_cast<const nn::BatchNormImpl*>(entry.value().get())) {
      to.norm("base_model/" + numbered("batch_normalization", norms++), *bn, entry.key());
    }
  }
}

void add_projection(EntryBuilder& to, const ProjectionHeadImpl& head) {
  for (const auto& layer : head.named_children()["projection"]->named_children()) {
    const std::string ours = "projection." + layer.key();
    const std::string scope = head.options.mode == HeadMode::linear ? "head_contrastive/l_0" : "head_contrastive/nl_" + layer.key();
    to.add(scope + "/dense/kernel", layer.value()->named_parameters(false)["weight"], ours + ".weight");
    to.norm(scope + "/batch_normalization", dynamic_cast<const nn::BatchNormImpl&>(*layer.value()->named_children()["bn"]), ours + ".bn");
  }
}

bool has(const NamedTensors& tensors, const std::string& name) { return tensors.contains(name); }

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(what, "known are ResNets of depth 18, 34, 50, 101, 152 and 200 as SimCLR has them");
}

int64_t side(const NamedTensors& tensors, const std::string& name, int64_t dimension) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) refuse(fmt::format("there is no {}", name));
  if (found->second.dim() <= dimension) refuse(fmt::format("{} has {} dimensions", name, found->second.dim()));
  return found->second.size(dimension);
}

std::string encoder_name(int64_t depth, int64_t stem_channels, bool selective) {
  if (stem_channels < 64 || stem_channels % 64 != 0 || stem_channels > 9 * 64) refuse(fmt::format("a stem of {} channels", stem_channels));
  return fmt::format("r{}_{}x_sk{}", depth, stem_channels / 64, selective ? 1 : 0);
}

int64_t blocks_of(const nn::ResNetOptions& o) { return o.blocks[0] + o.blocks[1] + o.blocks[2] + o.blocks[3]; }

// The depth whose blocks `fits`.
template <class Fits>
int64_t depth_where(Fits fits, const std::string& otherwise) {
  for (int64_t depth : {18, 34, 50, 101, 152, 200})
    if (fits(nn::res_net_options(depth))) return depth;
  refuse(otherwise);
}

NetworkOptions infer_official(const NamedTensors& tensors) {
  NetworkOptions o{.head = HeadMode::none, .seed = {}};
  const auto kernel = [](int64_t number) { return fmt::format("base_model/{}/kernel", numbered("conv2d", number)); };
  int64_t convs = 0, norms = 0, biased = 0, first_biased = -1;
  for (; has(tensors, kernel(convs)); ++convs) {
    if (!has(tensors, fmt::format("base_model/{}/bias", numbered("conv2d", convs)))) continue;
    if (biased++ == 0) first_biased = convs;
  }
  while (has(tensors, fmt::format("base_model/{}/gamma", numbered("batch_normalization", norms)))) ++norms;
  const bool selective = convs - biased > norms;
  const int64_t stem = side(tensors, kernel(0), 0) == 3 && side(tensors, kernel(1), 0) == 3 ? 3 : 1;
  o.small_stem = stem == 1 && side(tensors, kernel(0), 0) == 3;
  const int64_t channels = side(tensors, kernel(stem - 1), 3);
  const int64_t depth = depth_where(
      [&](const nn::ResNetOptions& family) {
        const int64_t blocks = blocks_of(family), each = selective ? 5 : family.bottleneck ? 3 : 2;
        return (!selective || family.bottleneck) && stem + each * blocks + 4 + biased == convs && (biased == 0 || biased == 2 * blocks);
      },
      fmt::format("{} convolutions and {} batch norms", convs, norms));
  o.encoder = encoder_name(depth, channels, selective);
  if (biased > 0) o.se_ratio = double(side(tensors, kernel(first_biased), 3)) / double(channels);
  while (has(tensors, fmt::format("head_contrastive/nl_{}/dense/kernel", o.head == HeadMode::nonlinear ? o.head_layers : 0))) {
    if (o.head != HeadMode::nonlinear) o.head_layers = 0;
    o.head = HeadMode::nonlinear;
    o.head_outputs = side(tensors, fmt::format("head_contrastive/nl_{}/dense/kernel", o.head_layers++), 1);
  }
  if (has(tensors, "head_contrastive/l_0/dense/kernel")) {
    o.head = HeadMode::linear;
    o.head_outputs = side(tensors, "head_contrastive/l_0/dense/kernel", 1);
  }
  if (has(tensors, "head_supervised/linear_layer/dense/bias")) o.num_classes = side(tensors, "head_supervised/linear_layer/dense/bias", 0);
  return o;
}

NetworkOptions infer_ours(const NamedTensors& tensors) {
  NetworkOptions o{.head = HeadMode::none, .seed = {}};
  if (has(tensors, "layer1.conv.weight")) {
    o.encoder = "small";
  } else {
    const auto block = [](int64_t group, int64_t block) { return fmt::format("layer{}.{}.conv1.weight", group, block); };
    std::array<int64_t, 4> blocks{};
    for (int64_t g = 1; g <= 4; ++g)
      while (has(tensors, block(g, blocks[size_t(g - 1)]))) ++blocks[size_t(g - 1)];
    const bool bottleneck = has(tensors, "layer1.0.conv3.weight"), selective = has(tensors, "layer1.0.sk.conv.weight");
    const int64_t depth =
        depth_where([&](const nn::ResNetOptions& family) { return family.blocks == blocks && family.bottleneck == bottleneck; },
                    fmt::format("groups of {}, {}, {} and {} blocks", blocks[0], blocks[1], blocks[2], blocks[3]));
    const int64_t channels = side(tensors, block(1, 0), 1);  // what the first block reads
    o.small_stem = side(tensors, "stem.conv1.weight", 2) == 3 && !has(tensors, "stem.conv2.weight");
    o.encoder = encoder_name(depth, channels, selective);
    if (has(tensors, "layer1.0.se.reduce.weight")) o.se_ratio = double(side(tensors, "layer1.0.se.reduce.weight", 0)) / double(channels);
  }
  int64_t layers = 0;
  while (has(tensors, fmt::format("projection.{}.weight", layers)))
    o.head_outputs = side(tensors, fmt::format("projection.{}.weight", layers++), 0);
  if (layers > 0) {
    o.head = HeadMode::nonlinear;
    o.head_layers = layers;
  }
  if (has(tensors, "head.bias")) o.num_classes = side(tensors, "head.bias", 0);
  return o;
}

}  // namespace

std::vector<OfficialEntry> official_entries(const Network& network) {
  if (network->res_net.is_empty()) throw UserError("the small encoder has no official names");
  EntryBuilder builder;
  add_encoder(builder, *network->res_net);
  add_projection(builder, *network->projection);
  if (!network->classifier.is_empty()) {
    builder.add("head_supervised/linear_layer/dense/kernel", network->classifier->weight, "head.weight");
    builder.add("head_supervised/linear_layer/dense/bias", network->classifier->bias, "head.bias");
  }
  return std::move(builder).take();
}

at::Tensor from_official(const at::Tensor& tensor) {
  if (tensor.dim() == 4) return tensor.permute({3, 2, 0, 1}).contiguous();
  return tensor.dim() == 2 ? tensor.t().contiguous() : tensor;
}

at::Tensor to_official(const at::Tensor& tensor) {
  if (tensor.dim() == 4) return tensor.permute({2, 3, 1, 0}).contiguous();
  return tensor.dim() == 2 ? tensor.t().contiguous() : tensor;
}

std::string from_torchvision(const std::string& name) {
  if (name.starts_with("conv1.") || name.starts_with("bn1.")) return "stem." + name;
  if (name.starts_with("fc.")) return "head." + name.substr(3);
  std::string ours = name;
  for (const auto& [theirs, part] : {std::pair(".downsample.0.", ".downsample.conv."), std::pair(".downsample.1.", ".downsample.bn.")})
    if (const auto at = ours.find(theirs); at != ours.npos) ours.replace(at, std::string(theirs).size(), part);
  return ours;
}

std::optional<Naming> detect_naming(const NamedTensors& tensors) {
  if (has(tensors, "base_model/conv2d/kernel")) return Naming::official;
  if (has(tensors, "stem.conv1.weight") || has(tensors, "layer1.conv.weight")) return Naming::ours;
  if (has(tensors, "conv1.weight") && has(tensors, "layer1.0.conv1.weight")) return Naming::torchvision;
  return {};
}

NetworkOptions infer_options(const NamedTensors& tensors, Naming naming) {
  if (naming == Naming::official) return infer_official(tensors);
  if (naming == Naming::ours) return infer_ours(tensors);
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) renamed.emplace(from_torchvision(name), tensor);
  return infer_ours(renamed);
}

}  // namespace zoo::simclr
