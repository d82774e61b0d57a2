// .pth files of torch.save (the zip form, torch 1.6 and later), without Python: tensors and plain values are read, and
// nothing in the file is ever executed. Any name outside the closed list in pickle.cpp is refused.
//
//   Checkpoint c = read_pth(map_file("bit.pth.tar"), "bit.pth.tar", {.key = "model", .strip_prefix = "module."});
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/core/json.h>
#include <libzoo/io/bytes.h>

#include <string>
#include <vector>

namespace zoo::io {

struct PthOptions {
  std::string key;                // read only the dict under this key ("model", "state_dict"); empty: everything
  std::string strip_prefix;       // taken from names that begin with it, as DataParallel's "module."
  bool find_state_dict = false;   // if no tensor lies at the top: read `state_dict` or `model` if it is a dict
};

struct Checkpoint {
  Arrays tensors;                  // contiguous; views of the file where possible
  std::vector<std::string> order;  // the tensors' names in the file's order
  Json values = Json::object();    // numbers, texts, truth values, None, and lists of these
};

// Dicts inside dicts, and lists that hold tensors, give dotted names: "optimizer.state.0.momentum_buffer". A tensor at the
// top is named "tensor". Throws UserError on the old form, on other names than those for tensors, on a tensor that reaches
// beyond its storage, and on anything damaged.
Checkpoint read_pth(const Bytes& file, const std::string& where, const PthOptions& options = {});

// An OrderedDict of tensors that torch.load(weights_only=True) reads. `order` names every tensor once; empty: by name.
// Replaces `path` as a whole. Throws Error.
void write_pth(const std::filesystem::path& path, const Arrays& tensors, const std::vector<std::string>& order = {});

}  // namespace zoo::io
