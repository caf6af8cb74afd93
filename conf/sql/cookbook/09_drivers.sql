-- What goes with complaints on 14 October? Rules found on one half of the texts that hold on the other
SELECT antecedent, n_effective, confidence, ci_low, ci_high, holdout_lift, q_value
FROM association_rules WHERE run_date = DATE '2026-10-14' AND is_driver AND lang = 'en'
ORDER BY q_value, leverage DESC LIMIT 8
