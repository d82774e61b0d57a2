#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/kernels/matmul.h>
#include <libzoo/offline_rl/kernels/direct_conv.h>
#include <libzoo/offline_rl/kernels/trunk_loops.h>
#include <libzoo/offline_rl/trunk.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace zoo::offline_rl {
namespace {

using kernels::DirectConv;

constexpr int64_t kTogether =
    4;  // images whose share of the weights' gradients is summed in registers; what it sums does not depend on the threads

// A convolution with its buffers' shapes. The way back to its input is made of stride² convolutions, one for each remainder of a place
// by the stride: input place stride · m + r takes from the outputs m - a, a = 0 … kernel / stride - 1, by the weights r + stride · a.
struct Layer {
  ConvShape shape;
  int64_t taps;                  // kernel / stride
  int64_t padded_width;          // of the input
  int64_t padded, outputs;       // values of the padded input, and of the output
  int64_t grad_width, grad_padded;  // the output's gradient with taps - 1 zeros on all sides
  int64_t weights;               // values

  explicit Layer(const ConvShape& s) : shape(s), taps(s.kernel / s.stride) {
    padded_width = s.width + s.horizontal.before + s.horizontal.after;
    padded = (s.height + s.vertical.before + s.vertical.after) * padded_width * s.channels;
    outputs = s.out_height * s.out_width * s.filters;
    grad_width = s.out_width + 2 * (taps - 1);
    grad_padded = (s.out_height + 2 * (taps - 1)) * grad_width * s.filters;
    weights = s.filters * s.kernel * s.kernel * s.channels;
  }

  DirectConv forward(int64_t out_row, int64_t out_step) const {
    return {.out_height = shape.out_height,
            .out_width = shape.out_width,
            .kernel = shape.kernel,
            .stride = shape.stride,
            .channels = shape.channels,
            .filters = shape.filters,
            .in_row = padded_width * shape.channels,
            .out_row = out_row,
            .out_step = out_step};
  }
  float* inner(float* input) const { return input + (shape.vertical.before * padded_width + shape.horizontal.before) * shape.channels; }
  int64_t grad_row() const { return grad_width * shape.filters; }
  float* grad_inner(float* grad) const { return grad + ((taps - 1) * grad_width + taps - 1) * shape.filters; }
};

bool fits(const QNetworkOptions& options) {
  const auto shapes = conv_shapes(options);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto& s = shapes[i];
    if (s.filters % kernels::kLanes != 0 || s.filters > kernels::kMostFilters) return false;
    if (i > 0 && s.kernel % s.stride != 0) return false;
  }
  return options.hidden > 0;
}

// The filters of the convolution that goes back to remainder (ry, rx): [taps][taps][filters][channels].
void turn_filters(const Layer& layer, const float* weight, int64_t ry, int64_t rx, float* to) {
  const auto& s = layer.shape;
  for (int64_t ty = 0; ty < layer.taps; ++ty)
    for (int64_t tx = 0; tx < layer.taps; ++tx) {
      const int64_t ky = ry + s.stride * (layer.taps - 1 - ty), kx = rx + s.stride * (layer.taps - 1 - tx);
      for (int64_t f = 0; f < s.filters; ++f, to += s.channels)
        std::memcpy(to, weight + ((f * s.kernel + ky) * s.kernel + kx) * s.channels, size_t(s.channels) * sizeof(float));
    }
}

// First and last m for which stride · m + remainder, less the zeros before, lies in [0, size), and outputs take something from there.
std::pair<int64_t, int64_t> places(int64_t size, int64_t before, int64_t stride, int64_t remainder, int64_t outputs, int64_t taps) {
  const int64_t first = before > remainder ? (before - remainder + stride - 1) / stride : 0;
  return {first, std::min((size - 1 + before - remainder) / stride, outputs + taps - 2)};
}

// grad where the activation y, which has rows of its own, is above 0, into a buffer with zeros around.
void mask_into(const Layer& layer, const float* grad, const float* y, int64_t y_row, float* to) {
  const auto& s = layer.shape;
  const int64_t row = s.out_width * s.filters;
  float* inner = layer.grad_inner(to);
  for (int64_t i = 0; i < s.out_height; ++i, grad += row, y += y_row, inner += layer.grad_row()) kernels::mask_grad(grad, y, row, inner);
}

float* data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }

at::Tensor& kept(at::Tensor& buffer, at::IntArrayRef sizes) {
  if (!buffer.defined() || buffer.sizes() != sizes) buffer = at::empty(sizes);
  return buffer;
}

}  // namespace

// Forward: a thread takes an image through all convolutions, so that what lies between them stays in its cache. The dense layer is one
// product over the batch.
struct Trunk::Fast {
  QNetworkOptions options;
  std::vector<Layer> layers;
  int64_t flat, hidden;
  // Of the forward that kept.
  std::vector<at::Tensor> inputs;  // [batch, padded values] of each layer
  at::Tensor flat_output, output;  // [batch, flat], [batch, hidden]
  // Of the way back, used again: fresh memory of this size costs a page fault for every 4 KB.
  std::vector<at::Tensor> grads, shares;
  at::Tensor masked_grad, grad_flat;

  explicit Fast(const QNetworkOptions& o) : options(o), hidden(o.hidden) {
    for (const auto& shape : conv_shapes(o)) layers.emplace_back(shape);
    flat = layers.back().outputs;
  }

  // Output rows and steps of layer i: into the padded input of the next, or the flat row.
  int64_t out_row(size_t i) const {
    const auto& s = layers[i].shape;
    return (i + 1 < layers.size() ? layers[i + 1].padded_width : s.out_width) * s.filters;
  }

  void read(const uint8_t* state, float* input) const {
    const Layer& layer = layers[0];
    const int64_t row = layer.shape.width * layer.shape.channels;
    const float scale = float(options.input_scale);
    float* to = layer.inner(input);
    for (int64_t y = 0; y < layer.shape.height; ++y, state += row, to += layer.padded_width * layer.shape.channels)
      kernels::scale_pixels(state, row, scale, to);
  }

  at::Tensor forward(const QNetworkImpl& net, const at::Tensor& given, bool keep) {
    const auto state = given.contiguous();
    const int64_t batch = state.size(0), pixels = state[0].numel();
    std::vector<at::Tensor> buffers;  // zeros around are written once
    for (size_t i = 0; keep && i < layers.size(); ++i)
      buffers.push_back(i < inputs.size() && inputs[i].size(0) == batch ? inputs[i] : at::zeros({batch, layers[i].padded}));
    auto flat_values = keep ? kept(flat_output, {batch, flat}) : at::empty({batch, flat});
    std::vector<std::vector<float>> weights;
    const auto& parameters = net.trunk_parameters();
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto& s = layers[i].shape;
      weights.emplace_back(size_t(layers[i].weights));
      const int64_t values = layers[i].weights / s.filters;
      nn::kernels::transpose(parameters[2 * i].const_data_ptr<float>(), s.filters, values, values, weights.back().data(), s.filters);
    }
    io::parallel_for(0, batch, kTogether, [&](int64_t begin, int64_t end) {
      std::vector<std::vector<float>> own;  // of one image after the other, where nothing is kept
      for (size_t i = 0; !keep && i < layers.size(); ++i) own.emplace_back(size_t(layers[i].padded), 0.0f);
      for (int64_t image = begin; image < end; ++image) {
        const auto input = [&](size_t i) { return keep ? data(buffers[i]) + image * layers[i].padded : own[i].data(); };
        read(state.const_data_ptr<uint8_t>() + image * pixels, input(0));
        for (size_t i = 0; i < layers.size(); ++i) {
          const bool last = i + 1 == layers.size();
          float* to = last ? data(flat_values) + image * flat : layers[i + 1].inner(input(i + 1));
          kernels::convolve(layers[i].forward(out_row(i), layers[i].shape.filters), input(i), weights[i].data(),
                            parameters[2 * i + 1].const_data_ptr<float>(), true, to);
        }
      }
    });
    auto result = dense(parameters[parameters.size() - 2], parameters.back(), flat_values);
    if (keep) inputs = std::move(buffers), output = result;
    return result;
  }

  // relu(x · weightᵀ + bias), rows of x as vectors side by side: then the weights, which are many, are read once and as they lie.
  at::Tensor dense(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x) const {
    const int64_t batch = x.size(0);
    if (batch < 8) return at::linear(x, weight, bias).relu_();
    auto result = at::empty({batch, hidden});
    for (int64_t first = 0; first < batch; first += kernels::kMostFilters) {
      const int64_t rows = std::min(kernels::kMostFilters, batch - first);
      const int64_t lanes = (rows + kernels::kLanes - 1) / kernels::kLanes * kernels::kLanes;
      auto columns = lanes == rows ? at::empty({flat, lanes}) : at::zeros({flat, lanes}), across = at::empty({hidden, lanes});
      const float *w = weight.const_data_ptr<float>(), *from = x.const_data_ptr<float>() + first * flat;
      float *v = data(columns), *to = data(across);
      io::parallel_for(0, flat, 2048, [&](int64_t begin, int64_t end) {
        nn::kernels::transpose(from + begin, rows, end - begin, flat, v + begin * lanes, lanes);
      });
      io::parallel_for(0, hidden, 60, [&](int64_t begin, int64_t end) {
        const DirectConv product{.out_height = 1,
                                 .out_width = end - begin,
                                 .kernel = 1,
                                 .stride = 1,
                                 .channels = flat,
                                 .filters = lanes,
                                 .in_row = 0,
                                 .out_row = 0,
                                 .out_step = lanes};
        kernels::convolve(product, w + begin * flat, v, nullptr, false, to + begin * lanes);
      });
      nn::kernels::transpose(to, hidden, rows, lanes, data(result) + first * hidden, hidden);
    }
    kernels::add_bias_relu(data(result), batch, hidden, bias.const_data_ptr<float>());
    return result;
  }

  void backward(const QNetworkImpl& net, const at::Tensor& given) {
    const auto& parameters = net.trunk_parameters();
    const int64_t batch = given.size(0);
    if (grads.empty())
      for (const auto& parameter : parameters) grads.push_back(at::empty_like(parameter));
    for (size_t i = 0; i < grads.size(); ++i) at::Tensor(parameters[i]).mutable_grad() = grads[i];
    const auto contiguous = given.contiguous();
    auto& masked = kept(masked_grad, {batch, hidden});
    kernels::mask_grad(contiguous.const_data_ptr<float>(), data(output), batch * hidden, data(masked));
    const float *weight = parameters[parameters.size() - 2].const_data_ptr<float>(), *grad = data(masked), *x = data(flat_output);
    float *grad_weight = data(grads[grads.size() - 2]), *below = data(kept(grad_flat, {batch, flat}));
    io::parallel_for(0, hidden, 56, [&](int64_t begin, int64_t end) {
      nn::kernels::matmul(nn::kernels::Product<float>{.rows = end - begin,
                                                      .columns = flat,
                                                      .depth = batch,
                                                      .a = {grad + begin, 1, hidden},
                                                      .b = {x, flat, 1},
                                                      .c = grad_weight + begin * flat,
                                                      .stride = flat});
    });
    io::parallel_for(0, flat, 256, [&](int64_t begin, int64_t end) {
      nn::kernels::matmul(nn::kernels::Product<float>{.rows = batch,
                                                      .columns = end - begin,
                                                      .depth = hidden,
                                                      .a = {grad, hidden, 1},
                                                      .b = {weight + begin, flat, 1},
                                                      .c = below + begin,
                                                      .stride = flat});
    });
    grads.back().zero_();
    kernels::add_columns(grad, batch, hidden, data(grads.back()));
    convolutions_backward(parameters, batch);
  }

  void convolutions_backward(const std::vector<at::Tensor>& parameters, int64_t batch) {
    const int64_t parts = (batch + kTogether - 1) / kTogether;
    // Turned filters of layers 1 …, and each part's own gradients: [weights][filters], then [filters] of the bias.
    std::vector<std::vector<float>> turned(layers.size());
    shares.resize(layers.size());
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto& s = layers[i].shape;
      kept(shares[i], {parts, layers[i].weights + s.filters}).zero_();
      if (i == 0) continue;
      turned[i].resize(size_t(layers[i].weights));
      float* to = turned[i].data();
      for (int64_t ry = 0; ry < s.stride; ++ry)
        for (int64_t rx = 0; rx < s.stride; ++rx, to += layers[i].weights / (s.stride * s.stride))
          turn_filters(layers[i], parameters[2 * i].const_data_ptr<float>(), ry, rx, to);
    }
    io::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) part_backward(part, batch, turned);
    });
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto& s = layers[i].shape;
      const auto sum = shares[i].sum(0);
      const float* from = sum.const_data_ptr<float>();
      nn::kernels::transpose(from, layers[i].weights / s.filters, s.filters, s.filters, data(grads[2 * i]), layers[i].weights / s.filters);
      std::copy_n(from + layers[i].weights, s.filters, data(grads[2 * i + 1]));
    }
  }

  void part_backward(int64_t part, int64_t batch, const std::vector<std::vector<float>>& turned) const {
    const int64_t first = part * kTogether, images = std::min(kTogether, batch - first);
    std::vector<float> below;  // the gradient of the layer below's output, image by image
    const float* grad = grad_flat.const_data_ptr<float>() + first * flat;
    for (size_t i = layers.size(); i-- > 0;) {
      const Layer& layer = layers[i];
      const auto& s = layer.shape;
      const bool last = i + 1 == layers.size();
      std::vector<float> masked(size_t(images * layer.grad_padded), 0.0f);
      for (int64_t image = 0; image < images; ++image) {
        float* y = last ? data(flat_output) + (first + image) * flat
                        : layers[i + 1].inner(data(inputs[i + 1]) + (first + image) * layers[i + 1].padded);
        mask_into(layer, grad + image * layer.outputs, y, out_row(i), masked.data() + image * layer.grad_padded);
      }
      float* share = data(shares[i]) + part * (layer.weights + s.filters);
      kernels::convolve_weight_grad(layer.forward(layer.grad_row(), s.filters), images, data(inputs[i]) + first * layer.padded,
                                    layer.padded, layer.grad_inner(masked.data()), layer.grad_padded, share);
      kernels::add_columns(masked.data(), int64_t(masked.size()) / s.filters, s.filters, share + layer.weights);
      if (i == 0) break;
      const int64_t values = s.height * s.width * s.channels;
      std::vector<float> next(size_t(images * values), 0.0f);
      for (int64_t image = 0; image < images; ++image)
        input_grad(layer, masked.data() + image * layer.grad_padded, turned[i].data(), next.data() + image * values);
      below = std::move(next);
      grad = below.data();
    }
  }

  static void input_grad(const Layer& layer, const float* grad, const float* turned, float* to) {
    const auto& s = layer.shape;
    for (int64_t ry = 0; ry < s.stride; ++ry) {
      for (int64_t rx = 0; rx < s.stride; ++rx, turned += layer.weights / (s.stride * s.stride)) {
        const auto [top, bottom] = places(s.height, s.vertical.before, s.stride, ry, s.out_height, layer.taps);
        const auto [left, right] = places(s.width, s.horizontal.before, s.stride, rx, s.out_width, layer.taps);
        const DirectConv conv{.out_height = bottom - top + 1,
                              .out_width = right - left + 1,
                              .kernel = layer.taps,
                              .stride = 1,
                              .channels = s.filters,
                              .filters = s.channels,
                              .in_row = layer.grad_row(),
                              .out_row = s.stride * s.width * s.channels,
                              .out_step = s.stride * s.channels};
        const int64_t y = s.stride * top + ry - s.vertical.before, x = s.stride * left + rx - s.horizontal.before;
        kernels::convolve(conv, grad + top * layer.grad_row() + left * s.filters, turned, nullptr, false,
                          to + (y * s.width + x) * s.channels);
      }
    }
  }
};

Trunk::Trunk(QNetwork network) : network_(std::move(network)) {
  if (nn::kernels::has_matmul() && fits(network_->options())) fast_ = std::make_unique<Fast>(network_->options());
}
Trunk::~Trunk() = default;
Trunk::Trunk(Trunk&&) noexcept = default;

at::Tensor Trunk::forward(const at::Tensor& state, bool keep) {
  const bool on_cpu = state.is_cpu() && network_->head_weight.is_cpu();
  if (fast_ && on_cpu) {
    const at::NoGradGuard no_grad;
    return fast_->forward(*network_, state, keep);
  }
  const at::AutoGradMode grad(keep);
  const auto features = network_->features(state);
  if (!keep) return features;
  features_ = features;
  return features.detach();
}

void Trunk::backward(const at::Tensor& grad_features) {
  if (!features_.defined()) {
    const at::NoGradGuard no_grad;
    fast_->backward(*network_, grad_features);
    return;
  }
  for (auto parameter : network_->trunk_parameters()) parameter.mutable_grad() = at::Tensor();
  const at::AutoGradMode grad(true);
  features_.backward(grad_features);
  features_ = at::Tensor();
}

}  // namespace zoo::offline_rl
