// simclr-tool: what pytorch_interop.py needs of the library.
//   simclr-tool random ENCODER CLASSES OUT.safetensors        a network with random weights and statistics, our names
//   simclr-tool outputs CHECKPOINT IN.safetensors OUT.safetensors   tensor x [n, 3, h, w] -> features, projection, and logits if there are
#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>
#include <libzoo/simclr/checkpoint.h>

#include <ATen/ATen.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace zoo;

void random_network(const std::string& encoder, int64_t classes, const std::string& out) {
  simclr::Network network(simclr::NetworkOptions{.encoder = encoder, .num_classes = classes, .seed = 1});
  const at::NoGradGuard no_grad;
  at::manual_seed(2);
  // Gains of batch norms from which every part of the network is heard in the result.
  for (auto [name, tensor] : simclr::named_tensors(network))
    if (tensor.dim() == 1)
      tensor.copy_(at::rand_like(tensor) + (name.ends_with("running_var") ? 0.5 : name.ends_with("weight") ? 0.3 : -0.5));
  simclr::save_checkpoint(out, network, {});
}

void outputs(const std::string& checkpoint, const std::string& in, const std::string& out) {
  const at::NoGradGuard no_grad;
  auto network = simclr::load_checkpoint(checkpoint).network;
  network->eval();
  const auto features = network->features(io::load_weights(in).tensors.at("x"));
  std::map<std::string, at::Tensor> results{{"features", features}, {"projection", network->project(features)}};
  if (network->options.num_classes > 0) results.emplace("logits", network->classify(features));
  io::save_weights(out, results);
}

void run(const std::vector<std::string>& words) {
  if (words.size() == 4 && words[0] == "random") return random_network(words[1], std::stoll(words[2]), words[3]);
  if (words.size() == 4 && words[0] == "outputs") return outputs(words[1], words[2], words[3]);
  throw UserError("usage: simclr-tool random ENCODER CLASSES OUT | outputs CHECKPOINT IN OUT");
}

}  // namespace

int main(int count, char** words) {
  try {
    run({words + 1, words + count});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
