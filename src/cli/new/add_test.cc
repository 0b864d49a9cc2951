#include "cli/new/add.h"

#include <gtest/gtest.h>

#include "cli/new/tree.h"
#include "support/temporary_directory.h"

namespace wirehall::cli {
namespace {
namespace fs = std::filesystem;

TEST(PieceName, HasThreeWritings) {
  const Result<PieceName> name = piece_name("move-player2");
  EXPECT_EQ(name->kebab, "move-player2");
  EXPECT_EQ(name->snake, "move_player2");
  EXPECT_EQ(name->pascal, "MovePlayer2");
  for (const char* wrong : {"", "-a", "a-", "a--b", "A", "a_b", "2a", "a/b", "../x"})
    EXPECT_FALSE(piece_name(wrong).ok()) << wrong;
}

TEST(AddLine, GoesAboveTheAnchorOnce) {
  std::string text = "f() {\n  a();\n  // wirehall add: handler\n}\n";
  bool changed = false;
  EXPECT_TRUE(add_line(text, "handler", "b();", changed));
  EXPECT_TRUE(changed);
  EXPECT_EQ(text, "f() {\n  a();\n  b();\n  // wirehall add: handler\n}\n");
  changed = false;
  EXPECT_TRUE(add_line(text, "handler", "b();", changed));
  EXPECT_FALSE(changed);
  EXPECT_FALSE(add_line(text, "middleware", "c();", changed));
}

class Piece : public testing::Test {
 protected:
  void make(ProjectOptions options) {
    options_ = std::move(options);
    options_.name = "app";
    close_features(options_, manifest());
    SeededRandom random(1);
    const auto files = plan_project(options_, manifest(), {"app", "0", "", "", ""}, random);
    ASSERT_TRUE(write_tree(project_, *files, [] { return true; }).ok());
  }
  Result<std::vector<Edit>> plan(std::string_view kind, std::string_view name) {
    return plan_piece(project_, options_, kind, *piece_name(name));
  }
  void apply(std::string_view kind, std::string_view name) {
    const auto edits = plan(kind, name);
    ASSERT_TRUE(edits.ok()) << edits.error().detail();
    for (const Edit& edit : *edits) {
      const bool same = edit.kind == Edit::Kind::kSame;
      ASSERT_TRUE(same || replace_file(project_ / edit.path, edit.bytes).ok());
    }
  }
  std::string text(const std::string& path) { return *read_text(project_ / path); }

  test::TemporaryDirectory directory_;
  fs::path project_ = fs::path(directory_.path()) / "app";
  ProjectOptions options_;
};

TEST_F(Piece, IsAFileAndTheLinesThatMakeItKnown) {
  make({});
  apply("handler", "move-player");
  EXPECT_NE(text("src/handlers/move_player.cpp").find("void on_move_player("), std::string::npos);
  EXPECT_NE(text("src/handlers/move_player.cpp").find("\"move-player\""), std::string::npos);
  EXPECT_NE(text("src/handlers/handlers.h").find("void on_move_player(wirehall::Server& io"),
            std::string::npos);
  EXPECT_NE(text("src/app.cpp").find("\n  on_move_player(io, hall);\n"), std::string::npos);
  for (const std::string& kind : piece_kinds()) apply(kind, "thing");
  EXPECT_NE(text("src/rooms/thing.cpp").find("class Thing final"), std::string::npos);
}

TEST_F(Piece, ASecondTimeChangesNothing) {
  make({});
  for (const std::string& kind : piece_kinds()) {
    apply(kind, "move-player");
    const auto again = plan(kind, "move-player");
    for (const Edit& edit : *again) EXPECT_EQ(edit.kind, Edit::Kind::kSame) << kind << " " << edit.path;
  }
}

TEST_F(Piece, AFileThatIsThereStaysAsItIs) {
  make({});
  apply("handler", "mine");
  ASSERT_TRUE(replace_file(project_ / "src/handlers/mine.cpp", "// mine").ok());
  ASSERT_TRUE(replace_file(project_ / "src/app.cpp", "  // wirehall add: handler\n").ok());
  apply("handler", "mine");
  EXPECT_EQ(text("src/handlers/mine.cpp"), "// mine");
  EXPECT_EQ(text("src/app.cpp"), "  on_mine(io, hall);\n  // wirehall add: handler\n");
}

TEST_F(Piece, ANameWhoseTestIsSomethingElsesIsRefused) {
  make({});
  const auto edits = plan("handler", "connect");
  EXPECT_EQ(edits.error().code(), ErrorCode::kConflict);
  EXPECT_NE(edits.error().detail().find("tests/connect.test.mjs is there already"), std::string::npos);
}

TEST_F(Piece, WithoutAnAnchorNothingIsChangedAndTheLineIsNamed) {
  make({});
  ASSERT_TRUE(replace_file(project_ / "src/app.cpp", "// mine\n").ok());
  const auto edits = plan("handler", "move");
  EXPECT_EQ(edits.error().code(), ErrorCode::kConflict);
  EXPECT_NE(edits.error().detail().find("src/app.cpp"), std::string::npos);
  EXPECT_NE(edits.error().detail().find("on_move(io, hall);"), std::string::npos);
}

TEST_F(Piece, WhatDoesNotFitTheProjectIsRefused) {
  ProjectOptions options;
  options.features.clear();
  options.protocol = "native";
  make(options);
  EXPECT_EQ(plan("room-type", "a").error().detail(), "this project was made without the feature rooms");
  EXPECT_NE(plan("namespace", "a").error().detail().find("native"), std::string::npos);
  EXPECT_TRUE(plan("handler", "a").ok());
}

TEST_F(Piece, AProjectIsFoundFromBelow) {
  make({});
  EXPECT_EQ(find_project(project_ / "src/handlers"), project_);
  EXPECT_EQ(find_project(project_), project_);
  EXPECT_EQ(find_project(project_.parent_path()), fs::path());
}

}  // namespace
}  // namespace wirehall::cli
