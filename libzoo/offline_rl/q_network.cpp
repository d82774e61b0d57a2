#include <libzoo/core/error.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/offline_rl/q_network.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace zoo::offline_rl {
namespace {

// The layers' inputs and outputs per unit: what the laws of initial weights ask for.
struct Fan {
  int64_t in, out;
};

std::vector<Fan> fans(const QNetworkOptions& o) {
  std::vector<Fan> result;
  for (const auto& s : conv_shapes(o)) result.push_back({s.channels * s.kernel * s.kernel, s.filters * s.kernel * s.kernel});
  const int64_t flat = network_size(o).flat_features, last = o.actions * o.heads;
  if (o.hidden > 0) result.push_back({flat, o.hidden});
  result.push_back({o.hidden > 0 ? o.hidden : flat, last});
  return result;
}

double limit_of(InitialWeights law, const Fan& fan) {
  return law == InitialWeights::glorot ? std::sqrt(6.0 / double(fan.in + fan.out)) : std::sqrt(std::sqrt(3.0) / double(fan.in));
}

// Columns of the first dense layer from (channels, height, width) to (height, width, channels), or back.
at::Tensor reorder_columns(const at::Tensor& weight, const ConvShape& last, bool to_own) {
  const int64_t h = last.out_height, w = last.out_width, c = last.filters;
  const auto view = to_own ? weight.view({-1, c, h, w}).permute({0, 2, 3, 1}) : weight.view({-1, h, w, c}).permute({0, 3, 1, 2});
  return view.reshape({weight.size(0), -1});
}

}  // namespace

QNetworkOptions nature_network(int64_t actions, int64_t heads, int64_t channels) {
  QNetworkOptions options;
  options.input[2] = channels;
  options.actions = actions;
  options.heads = heads;
  return options;
}

QNetworkOptions minatar_network(int64_t channels, int64_t actions, int64_t heads) {
  QNetworkOptions options;
  options.input = {10, 10, channels};
  options.filters = {16}, options.kernels = {3}, options.strides = {1};
  options.hidden = 128;
  options.actions = actions;
  options.heads = heads;
  options.padding = Padding::valid;
  options.input_scale = 1;
  return options;
}

EdgePadding edge_padding(Padding padding, int64_t n, int64_t kernel, int64_t stride) {
  if (padding == Padding::valid) return {};
  const int64_t out = (n + stride - 1) / stride, total = std::max<int64_t>((out - 1) * stride + kernel - n, 0);
  return {total / 2, total - total / 2};
}

std::vector<ConvShape> conv_shapes(const QNetworkOptions& o) {
  if (o.input.size() != 3 || o.filters.size() != o.kernels.size() || o.filters.size() != o.strides.size() || o.filters.empty())
    throw UserError(fmt::format("a network of {} filters, {} kernels and {} strides on an input of {} axes", o.filters.size(),
                                o.kernels.size(), o.strides.size(), o.input.size()),
                    "give every convolution its filters, kernel and stride, and the input height, width and channels");
  std::vector<ConvShape> shapes;
  int64_t height = o.input[0], width = o.input[1], channels = o.input[2];
  for (size_t i = 0; i < o.filters.size(); ++i) {
    ConvShape s{height, width, channels, o.filters[i], o.kernels[i], o.strides[i], 0, 0, {}, {}};
    s.vertical = edge_padding(o.padding, height, s.kernel, s.stride);
    s.horizontal = edge_padding(o.padding, width, s.kernel, s.stride);
    s.out_height = (height + s.vertical.before + s.vertical.after - s.kernel) / s.stride + 1;
    s.out_width = (width + s.horizontal.before + s.horizontal.after - s.kernel) / s.stride + 1;
    if (height < 1 || width < 1 || s.filters < 1 || s.kernel < 1 || s.stride < 1 || s.out_height < 1 || s.out_width < 1)
      throw UserError(fmt::format("convolution {} does not fit its input of {}x{}", i + 1, height, width));
    shapes.push_back(s);
    height = s.out_height, width = s.out_width, channels = s.filters;
  }
  return shapes;
}

NetworkSize network_size(const QNetworkOptions& o) {
  NetworkSize size;
  const auto layer = [&](int64_t inputs, int64_t outputs) {
    size.parameters += (inputs + 1) * outputs;
    size.fan_in_limits.push_back(limit_of(InitialWeights::fan_in, {inputs, outputs}));
  };
  for (const auto& s : conv_shapes(o)) {
    layer(s.channels * s.kernel * s.kernel, s.filters);
    size.flat_features = s.out_height * s.out_width * s.filters;
  }
  if (o.hidden > 0) layer(size.flat_features, o.hidden);
  layer(o.hidden > 0 ? o.hidden : size.flat_features, o.actions * o.heads);
  return size;
}

void QNetworkImpl::reset() {
  const auto shapes = conv_shapes(options_);
  const auto all_fans = fans(options_);
  trunk_.clear();
  uint32_t id = 0;
  const auto add = [&](const std::string& name, at::Tensor weight) {
    nn::uniform(weight, limit_of(options_.initial_weights, all_fans[id]), options_.seed, id);
    ++id;
    const auto layer = register_module(name, std::make_shared<torch::nn::Module>());
    auto bias = layer->register_parameter("bias", at::zeros({weight.size(0)}));
    return std::pair(layer->register_parameter("weight", weight), bias);
  };
  const auto add_to_trunk = [&](const std::string& name, const at::Tensor& weight) {
    const auto [w, b] = add(name, weight);
    trunk_.push_back(w);
    trunk_.push_back(b);
  };
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto& s = shapes[i];
    add_to_trunk(fmt::format("conv{}", i + 1), at::empty({s.filters, s.channels, s.kernel, s.kernel},
                                                         at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast)));
  }
  if (options_.hidden > 0) add_to_trunk("fc1", at::empty({options_.hidden, all_fans[id].in}));
  const auto head = add(options_.hidden > 0 ? "fc2" : "fc1", at::empty({options_.actions * options_.heads, all_fans[id].in}));
  head_weight = head.first, head_bias = head.second;
}

at::Tensor QNetworkImpl::features(const at::Tensor& state) const {
  auto x = state.permute({0, 3, 1, 2}).to(at::kFloat).mul(options_.input_scale);
  const auto shapes = conv_shapes(options_);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto& s = shapes[i];
    const auto &v = s.vertical, &h = s.horizontal;
    const bool even = v.before == v.after && h.before == h.after;
    if (!even) x = at::constant_pad_nd(x, {h.before, h.after, v.before, v.after});
    const std::vector<int64_t> padding = {even ? v.before : 0, even ? h.before : 0}, stride = {s.stride, s.stride};
    x = at::conv2d(x, trunk_[2 * i], trunk_[2 * i + 1], stride, padding).relu();
  }
  x = x.permute({0, 2, 3, 1}).flatten(1);
  return options_.hidden > 0 ? at::linear(x, trunk_[trunk_.size() - 2], trunk_.back()).relu() : x;
}

at::Tensor QNetworkImpl::forward(const at::Tensor& state) const {
  return at::linear(features(state), head_weight, head_bias).view({state.size(0), options_.actions, options_.heads});
}

void load_weights(QNetworkImpl& network, const std::map<std::string, at::Tensor>& weights, WeightsLayout layout) {
  const auto last = conv_shapes(network.options()).back();
  std::vector<std::string> complaints;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  const auto parameters = network.named_parameters();
  for (const auto& entry : parameters) {
    const auto found = weights.find(entry.key());
    if (found == weights.end()) {
      complaints.push_back(entry.key() + " is missing");
      continue;
    }
    at::Tensor value = found->second;
    if (layout == WeightsLayout::tensorflow && value.dim() == 4) value = value.permute({3, 2, 0, 1});
    if (layout == WeightsLayout::tensorflow && value.dim() == 2) value = value.t();
    if (value.sizes() != entry.value().sizes()) {
      complaints.push_back(
          fmt::format("{} is {} and must be {}", entry.key(), fmt::join(value.sizes(), "x"), fmt::join(entry.value().sizes(), "x")));
      continue;
    }
    if (layout == WeightsLayout::torch && entry.key() == "fc1.weight") value = reorder_columns(value.contiguous(), last, true);
    copies.emplace_back(entry.value(), value);
  }
  for (const auto& [name, tensor] : weights)
    if (!parameters.contains(name)) complaints.push_back(name + " is not one of this network's");
  if (!complaints.empty())
    throw UserError(fmt::format("the weights do not fit the network: {}", fmt::join(complaints, "; ")),
                    "actions, heads and padding must be those of the network that was saved");
  at::NoGradGuard no_grad;
  for (auto& [to, from] : copies) to.copy_(from);
}

std::map<std::string, at::Tensor> torch_weights(const QNetworkImpl& network) {
  at::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> weights;
  const auto last = conv_shapes(network.options()).back();
  for (const auto& entry : network.named_parameters()) {
    const auto value = entry.value().detach();
    weights[entry.key()] = entry.key() == "fc1.weight" ? reorder_columns(value.contiguous(), last, false) : value.contiguous();
  }
  return weights;
}

}  // namespace zoo::offline_rl
