use doorward_auth::Admission;

fn made_of_another(admission: Admission) -> Admission {
    Admission { ..admission }
}

fn main() {}
