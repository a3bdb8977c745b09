"""What people see of an evaluation: findings, figures, galleries of lesions, one report."""
