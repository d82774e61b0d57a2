// bit-tool: what timm_interop.py needs of the library.
//   bit-tool convert IN OUT ours|official|timm|hf|big_vision
//   bit-tool logits CHECKPOINT IN.safetensors OUT.safetensors      tensor x [n, 3, h, w] -> tensor logits [n, classes]
#include <libzoo/bit/checkpoint.h>
#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace zoo;

bit::Naming naming(const std::string& text) {
  for (auto entry : enum_names(bit::Naming{}).entries)
    if (text == entry.name) return entry.value;
  throw UserError("unknown naming " + text);
}

void run(const std::vector<std::string>& words) {
  if (words.size() == 4 && words[0] == "convert") return bit::convert(words[1], words[2], {.names = naming(words[3])});
  if (words.size() == 4 && words[0] == "logits") {
    const at::NoGradGuard no_grad;
    auto checkpoint = bit::load_checkpoint(words[1]);
    const auto x = io::load_weights(words[2]).tensors.at("x");
    return io::save_weights(words[3], {{"logits", checkpoint.model->forward(x)}}, {});
  }
  throw UserError("usage: bit-tool convert IN OUT NAMES | bit-tool logits CHECKPOINT IN OUT");
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
