use doorward_auth::Admission;

fn another(admission: &Admission) -> Admission {
    admission.clone()
}

fn main() {}
