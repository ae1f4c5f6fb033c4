#[test]
fn an_admission_comes_from_a_climbed_ladder_alone() {
    trybuild::TestCases::new().compile_fail("tests/it/compile_fail/*.rs");
}
