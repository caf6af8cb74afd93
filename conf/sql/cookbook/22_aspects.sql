-- What do customers think of the support, per product, over the three weeks? From the sentences that mention it
SELECT group_key, SUM(n_effective) AS n_effective, SUM(n_negative) AS n_negative, SUM(n_negative) * 1E0 / SUM(n_effective) AS negative_share
FROM aspect_daily WHERE aspect = 'support' AND lang = 'en'
GROUP BY group_key HAVING SUM(n_effective) >= 10 ORDER BY negative_share DESC
