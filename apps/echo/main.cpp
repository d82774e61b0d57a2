// zoo-echo: experiments that show what data echoing gives, and where it does not help.
#include "apps/common/program.h"
#include "apps/echo/learning_curve.h"

int main(int argc, char** argv) {
  using namespace zoo::apps;
  return main_program("zoo-echo", "Data echoing: what repeating items costs and gives.",
                      {run_verb<LearningCurveOptions>("learning_curve", "fresh items to a target accuracy, for each way to echo",
                                                      learning_curve, {.recipe = "echo/learning_curve"})},
                      argc, argv);
}
