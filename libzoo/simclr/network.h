// A SimCLR network: an encoder, whose features are kept, a projection head, which the contrastive loss sees, and a classifier if labels
// are learnt.
//
//   Network net(NetworkOptions{.encoder = "r50_1x_sk0", .num_classes = 1000});
//   at::Tensor h = net->features(images);     // [batch, 3, h, w] -> [batch, 2048]
//   at::Tensor z = net->project(h);           // -> [batch, 128]
#pragma once

#include <libzoo/nn/res_net.h>
#include <libzoo/optim/lars.h>
#include <libzoo/simclr/projection_head.h>
#include <libzoo/simclr/small_net.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace zoo::simclr {

struct NetworkOptions {
  // r<depth>_<width>x, with _sk1 (selective kernels of ratio 0.0625) or _sk0 (none) behind it, as the released files are called; or
  // small, the demo's.
  std::string encoder = "r50_1x_sk0";
  double se_ratio = 0;
  bool small_stem = false;           // for pictures of 32 pixels and less
  HeadMode head = HeadMode::nonlinear;
  int64_t head_layers = 3;           // v1 has 2
  int64_t head_outputs = 128;
  int64_t head_keep = -1;            // see ProjectionHeadOptions::keep
  int64_t num_classes = 0;           // 0: no classifier
  std::optional<uint64_t> seed = 0;  // of the initial weights; none: zeros, for weights that are loaded
};

// What the name says; none for `small`. Throws UserError for names that are none.
std::optional<nn::ResNetOptions> encoder_options(const NetworkOptions& options);

// A dense layer that starts at zero.
class ClassifierImpl : public torch::nn::Cloneable<ClassifierImpl> {
 public:
  ClassifierImpl(int64_t features, int64_t classes) : features_(features), classes_(classes) { reset(); }
  void reset() override;
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight, bias;  // [classes, features], [classes]

 private:
  int64_t features_, classes_;
};
TORCH_MODULE(Classifier);

class NetworkImpl : public torch::nn::Module {
 public:
  explicit NetworkImpl(const NetworkOptions& options);

  at::Tensor features(const at::Tensor& images);
  at::Tensor project(const at::Tensor& features) { return projection->forward(features); }
  // Of the features; of the projection's last layer if only some of its layers were kept.
  at::Tensor classify(const at::Tensor& features);
  at::Tensor logits(const at::Tensor& images) { return classify(this->features(images)); }
  int64_t num_features() const;

  // Parts up to here take no gradients and stay in inference mode, buffers included: -1 none; 0 the stem; 1 to 3 that group too; 4 the
  // whole encoder. The small net has no stem.
  void freeze_after(int64_t group);
  void freeze_projection();
  void train(bool on = true) override;

  // The name in files: without the name of the part in front, so "stem.conv1.weight", "projection.0.weight", "head.weight".
  static std::string file_name(const std::string& name) { return name.substr(name.find('.') + 1); }
  optim::Role role(const std::string& parameter) const;  // for LARS; told by what the parameter belongs to

  NetworkOptions options;
  nn::ResNet res_net{nullptr};  // this one or
  SmallNet small_net{nullptr};  // this
  ProjectionHead projection{nullptr};
  Classifier classifier{nullptr};  // empty without classes

 private:
  std::vector<std::shared_ptr<torch::nn::Module>> frozen_;
};
TORCH_MODULE(Network);

// Parameters and buffers under their names in files.
std::map<std::string, at::Tensor> named_tensors(const Network& network);

}  // namespace zoo::simclr
