// Networks that estimate action values from pictures: convolutions with ReLU, a dense layer with ReLU, and a dense layer that gives each action
// `heads` numbers: values of an ensemble, quantiles, or logits of atoms.
//
//   QNetwork net(nature_network(/*actions=*/6, /*heads=*/200));
//   auto q = net(state);   // u8 [batch, height, width, channels], newest frame last -> f32 [batch, actions, heads]
//
// Children are conv1 … convN, fc1, fc2 (fc1 alone without a hidden layer), OIHW and [out, in] as PyTorch has them, except that the rows of
// the first dense layer stand in (height, width, channels) order in memory; torch_weights() puts them into PyTorch's.
#pragma once

#include <libzoo/offline_rl/agent_options.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace zoo::offline_rl {

// Laws of the initial weights; biases are 0. fan_in: uniform(-L, L), L = sqrt(√3 / fan_in), as the released multi-head, QR and C51 networks
// have it. glorot: uniform, L = sqrt(6 / (fan_in + fan_out)), those of DQN.
enum class InitialWeights { fan_in, glorot };

struct QNetworkOptions {
  std::vector<int64_t> input = {84, 84, 4};  // height, width, channels
  std::vector<int64_t> filters = {32, 64, 64}, kernels = {8, 4, 3}, strides = {4, 2, 1};
  int64_t hidden = 512;  // 0: none
  int64_t actions = 1, heads = 1;
  Padding padding = Padding::same;
  double input_scale = 1.0 / 255;
  InitialWeights initial_weights = InitialWeights::fan_in;
  uint64_t seed = 0;
};

QNetworkOptions nature_network(int64_t actions, int64_t heads, int64_t channels = 4);
// Of the authors of MinAtar: 16 filters 3x3, valid, 128 hidden; planes of 0 and 1 are not scaled.
QNetworkOptions minatar_network(int64_t channels, int64_t actions, int64_t heads);

// Zeros before and after an axis of n values.
struct EdgePadding {
  int64_t before = 0, after = 0;
};
EdgePadding edge_padding(Padding padding, int64_t n, int64_t kernel, int64_t stride);

struct ConvShape {
  int64_t height, width, channels;  // of the input
  int64_t filters, kernel, stride;
  int64_t out_height, out_width;
  EdgePadding vertical, horizontal;
};
// Throws UserError if lists differ in length or a kernel does not fit.
std::vector<ConvShape> conv_shapes(const QNetworkOptions& options);

struct NetworkSize {
  int64_t parameters = 0;
  int64_t flat_features = 0;  // that leave the convolutions
  std::vector<double> fan_in_limits;  // L of each layer
};
NetworkSize network_size(const QNetworkOptions& options);

class QNetworkImpl : public torch::nn::Cloneable<QNetworkImpl> {
 public:
  explicit QNetworkImpl(const QNetworkOptions& options) : options_(options) { reset(); }
  void reset() override;

  at::Tensor features(const at::Tensor& state) const;  // before the last layer, [batch, hidden]
  at::Tensor forward(const at::Tensor& state) const;
  const QNetworkOptions& options() const { return options_; }

  // All but the last layer's, in order of the layers: weight, bias, weight, …
  const std::vector<at::Tensor>& trunk_parameters() const { return trunk_; }
  at::Tensor head_weight, head_bias;  // [actions · heads, features], action by action

 private:
  QNetworkOptions options_;
  std::vector<at::Tensor> trunk_;
};
TORCH_MODULE(QNetwork);

// Between files and the network's own order.
enum class WeightsLayout {
  torch,  // conv OIHW, dense [out, in], the first dense layer reads channels, height, width
  tensorflow,  // conv HWIO, dense [in, out], the first dense layer reads height, width, channels
};
// Throws UserError naming every tensor that is missing, unexpected or of another shape.
void load_weights(QNetworkImpl& network, const std::map<std::string, at::Tensor>& weights, WeightsLayout layout = WeightsLayout::torch);
std::map<std::string, at::Tensor> torch_weights(const QNetworkImpl& network);

}  // namespace zoo::offline_rl
