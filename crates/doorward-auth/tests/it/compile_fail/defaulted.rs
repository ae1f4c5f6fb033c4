use doorward_auth::Admission;

fn main() {
    let _ = Admission::default();
}
