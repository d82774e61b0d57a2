// Options of `zoo-bit distill`: a student from scratch that learns a teacher's opinion of pictures (Beyer et al. 2021,
// arXiv 2106.05237: the same crop and MixUp for both, no labels).
#pragma once

#include <libzoo/bit/pretrain_options.h>

#include <filesystem>

namespace zoo::bit {

struct DistillOptions {
  std::filesystem::path teacher;
  double temperature = 1;
  double mixup_alpha = 1;
  PretrainOptions student;
};

template <class Field>
void fields(Field& field, DistillOptions& o) {
  field("teacher", o.teacher, "weights with a head: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("temperature", o.temperature, "by which both logits are divided", positive());
  field("mixup_alpha", o.mixup_alpha, "of Beta(alpha, alpha), its larger side on the picture itself; 0: no MixUp", non_negative());
  field("student", o.student, "the network that learns; the classes of its data are used for `test` alone");
}

inline void check(const DistillOptions& o, Problems& problems) {
  if (o.student.loss != LabelLoss::softmax) problems.add("student.loss", "is not used: the teacher replaces the labels");
}

}  // namespace zoo::bit
