// RetinaNet (Lin et al. 2017) on a BiT backbone, as the paper transfers to COCO: the outputs of stages 2 to 4, each through a group norm
// and ReLU of its own, a feature pyramid P3 … P7, and two small networks that every level shares, one for classes, one for boxes.
//
//   Detector model(backbone, DetectorOptions{.num_classes = 80});
//   auto [logits, codes] = model->forward(images);
#pragma once

#include <libzoo/bit/anchors.h>
#include <libzoo/nn/feature_pyramid.h>
#include <libzoo/nn/res_net_v2.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <vector>

namespace zoo::bit {

struct DetectorOptions {
  int64_t channels = 256;
  int64_t depth = 4;
  AnchorOptions anchors = {};
  int64_t num_classes = 0;  // these two are not a recipe's to say
  uint64_t seed = 0;        // of the weights that do not come from the backbone
};

template <class Field>
void fields(Field& field, DetectorOptions& o) {
  field("channels", o.channels, "of the feature pyramid and the heads", between(1, 4096));
  field("depth", o.depth, "3x3 convolutions before the last one of each head", between(0, 16));
  field("anchors", o.anchors, "boxes that detections start from");
}

struct DetectorOutput {
  at::Tensor logits;  // [batch, anchors, classes]
  at::Tensor codes;   // [batch, anchors, 4]: see encode_box()
};

class DetectorImpl : public torch::nn::Module {
 public:
  // Takes the backbone over. New convolutions begin as normal values that keep the size of what they are given (kaiming, the pyramid's
  // 1 / fan-in), the last ones with deviation 0.01, and the biases of the classes so that everything is one with probability
  // 0.01. Throws UserError unless the backbone has four stages.
  DetectorImpl(nn::ResNetV2 backbone, const DetectorOptions& options);
  DetectorOutput forward(const at::Tensor& images);  // [batch, 3, side, side]

  DetectorOptions options;
  nn::ResNetV2 backbone{nullptr};  // whose own final norm is not used

 private:
  struct Head {
    std::vector<nn::BiasConv2d> convs;
    nn::BiasConv2d last{nullptr};
  };
  Head make_head(torch::nn::Module& scope, const std::string& name, const std::string& last, int64_t values);
  // [batch, cells · anchors per cell, values]
  static at::Tensor apply(Head& head, const at::Tensor& level, int64_t values);

  std::vector<nn::GroupNorm> taps_;
  nn::FeaturePyramid fpn_{nullptr};
  Head classes_, boxes_;
};
TORCH_MODULE(Detector);

}  // namespace zoo::bit
