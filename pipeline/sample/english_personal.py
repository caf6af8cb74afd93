"""What English-speaking customers say about what they wear and ride: earbuds, watch, scooter.

The notation is that of `grammar.py`.
"""

TEXT = """
# Finch Buds/negative/connection
- The left bud [cuts out|drops] whenever I [put my phone in my back pocket|walk past the station|turn my head].
  [Maddening.|]
- Right one connects, left one doesn't, then the other way round. [I've never had both for a full song.|Every
  morning.]
- Audio [stutters|lags half a second behind the picture] so [films are unwatchable|every podcast sounds like a robot].
- They keep [jumping to my laptop|connecting to my wife's tablet] in the middle of a call. [Drives me mad.|]
- Since update {version} they won't [pair|reconnect] with my {handset} at all. [They worked fine before.|Nice one.]
- Re-paired these [for the hundredth time|eleven times this week]. [I want earbuds, not a hobby.|Life is too short.]
+ Tried them with my {handset} and an old tablet, same thing.
+ Forgot the device, reset the case, [did the ten second button thing|danced around a fire]. No change.
+ In an empty field they'd be great. In {city} at rush hour they're useless.
! Left bud dead [again|after {3-9} weeks]
! Constant dropouts. [Awful.|Returning.]
! Can't stay connected for one song
# Finch Buds/negative/battery
- [One hour|Two hours, on a good day,] of battery. The box says eight. [Liars.|Who measured that?]
- The case [drains itself in my bag overnight|shows full and is empty an hour later]. [Bought them in {month}.|]
- One bud is at {70-95} %, the other at {4-15} %, every time. I can only use one. [Ridiculous.|]
- Charging case stopped charging [after {2-7} months|the day the return window closed]. [Funny, that.|Of course it
  did.]
+ The lid hinge is loose too, cheap plastic.
+ I was told this is "within tolerance". It isn't.
+ They cost {price}! I expected better.
! Battery is terrible
! Case won't charge. Dead.
# Finch Buds/negative/fit
- They fall out [when I chew|if I so much as smile|on every run]. [Lost one down a drain in {city}.|Hopeless for
  sport.]
- My ears [hurt|are raw] after {20-45} minutes. None of the [three|four] tips fit.
- Tips come off and stay in your ear. [I had to use tweezers. Not fun.|Scary, frankly.]
- Got a rash from the silicone. [Red, itchy, sore for days.|My doctor says it's the coating.] I'm not putting them
  in again.
+ Your size guide is wrong, the medium is smaller than the small.
+ Replacement tips cost {fee}, for four bits of rubber.
! Painful after half an hour
! Fall out constantly
# Finch Buds/negative/calls
- Nobody can hear me on calls. [They say I sound like I'm in a tunnel|"Are you underwater?" is what I get], every
  time.
- The mic picks up [every bus|the wind|other people's conversations] but not me. [Useless for work.|]
- Embarrassing [job interview|client call] today: they couldn't understand a word until I took the Finches out.
  [Thanks for nothing.|]
- I hear my own voice echo [in every meeting|with a delay]. Support says it's [my laptop|my ears]. [It isn't.|Really?]
+ Switching to the phone's own mic fixes it at once, so it's not the line.
+ I bought them for calls, that was the whole point.
! Mic is garbage
! Callers can't hear me. [Bad.|Useless.]
# Finch Buds/positive/sound
- The sound is [gorgeous|unreal for the price]. [Bass without the mud|I heard things in old albums I'd never
  noticed]. [Love them.|]
- I own headphones that cost three times as much and I keep reaching for the Finches. [Incredible.|]
- Played [my favourite cello recording|the same song five times] on the way home just to [grin|enjoy it]. [So good.|]
- [Warm|Clear], detailed, never harsh. [I'm a sound engineer and I'm impressed.|You've nailed the tuning.]
+ The EQ presets are actually useful for once.
+ My [son|sister|flatmate] tried them and ordered a pair the same evening.
! Sound is [amazing|superb|incredible]
! Best earbuds [I've owned|at this price]
# Finch Buds/positive/comfort
- I forget I'm wearing them. [Eight hours at my desk, no ache.|Even with glasses.] [Perfect.|Finally!]
- They survived [a half marathon in {city}|a washing machine|a winter of trail running] and still [sound great|stay
  put].
- Tiny ears here, nothing ever fits, and the extra small tips [are perfect|changed my life]. [Thank you!!|]
- Light, comfortable, battery for [the whole week's commute|days]. [Couldn't be happier.|Delighted.]
+ The case is small enough for the coin pocket of my jeans.
+ Lost one tip and you sent a new set [for free|within two days], lovely service.
! So comfy, love these
! Stay in even when running
# Finch Buds/positive/noise_cancelling
- The noise cancelling is [witchcraft|magic]. [Flight to {city}, heard nothing but my book.|The office just
  disappears.]
- Put them in on the train and [silence|the world goes away]. I could [cry with happiness|kiss the engineers].
- My baby has colic and these [saved my sanity|let me cook in peace]. [Best present ever.|Thank you, thank you.]
- Transparency mode sounds so natural that I [order coffee without taking them out|keep them in all day].
  [Brilliant.|]
+ Update {version} made it even better, well done.
+ I'd buy them again tomorrow.
! Noise cancelling is superb
! Silence on the train at last 😌
# Finch Buds/neutral/pairing_question
- How do I pair the Finch Buds with [a second phone|my TV|a Windows laptop] without losing the first?
- [Is there|Do they have] multipoint, and is it on by default?
- What does the [white blinking|amber] light on the case mean?
- How do I reset [them|one bud]? I have [lost the leaflet|the 2nd gen].
- Can I use just one bud for calls?
+ Phone is a {handset}.
+ App version {version}, case firmware {2-4}.{0-9}.
! Do they support multipoint?
! How to reset the case?
# Finch Buds/neutral/order_question
- Are the [green|sand|black] ones coming back, and roughly when?
- Can I buy [a single left bud|just the case|extra small tips] separately?
- Ordered on {date} ({order}). The tracking page still says "label created". Is that normal?
- Are they [dust proof|rated IPX4 or IPX5]? The product page and the manual give different figures.
- What's the return period for opened earbuds?
+ It's for a birthday on the {nth}.
+ Delivery address is in {city}.
! Price of one bud?
! Is there a student discount?
# Wren Watch/negative/accuracy
- According to my Wren I walked {18-31},000 steps yesterday. I was [in bed with flu|driving to {city}]. [Junk.|]
- Heart rate shows {170-199} [while I'm reading|sitting on the sofa] and {60-75} during sprints. [Worthless for
  training.|]
- GPS puts my run [in the river|through three houses] and [adds|steals] {1-3} km. [My old phone did better.|Terrible.]
- It says I slept nine hours on a night I [spent at the airport|was up with a newborn]. [Thanks, very
  insightful.|Laughable.]
- The SpO2 reading [scared me to death|sent me to the doctor for nothing]: {71-79} %. Doctor measured {97-99}.
+ Wore it tight, loose, left, right, two fingers above the wrist. Same nonsense.
+ Compared it with a chest strap for a week. It's off by {20-40} beats.
! Step counter is fiction
! Wildly inaccurate. [Avoid.|Disappointing.]
# Wren Watch/negative/battery
- "Ten days of battery." I get [a day and a half|barely two], with everything [turned off|switched off]. [False
  advertising.|]
- After the last update the Wren is dead by [lunch|{3-5} pm]. Before, it lasted [five days|a week].
- It dies in the middle of [my long run|a swim], so I lose the whole workout. [Third time.|So annoying.]
- The charger falls off if you [look at it|breathe near the table], so I wake up to a dead watch. [Poor design.|]
+ Always-on display is off. GPS is off. I'd turn the clock off if I could.
+ Replacement charger: {fee}. Plus shipping. [No thanks.|]
! Dead by noon. Every day.
! Battery life is [a lie|shocking]
# Wren Watch/negative/strap
- The strap [snapped|came apart] after {2-5} months [while I was swimming, watch nearly gone|in the gym].
- Screen [cracked|scratched] the first week, I [barely touched a door frame|only wear it in the office]. So much
  for "sapphire".
- I have a [burn|rash] the exact shape of the sensor. [That can't be healthy.|Not wearing it again.]
- Water got in [in the shower|at the pool] and now the [display is fogged|buttons are dead]. "50 m water
  resistant", they said.
+ Warranty refused: "customer damage". [Disgraceful.|I'm livid.]
+ No other strap fits because you made your own connector. [Greedy.|]
! Strap broke in {5-12} weeks
! Poor quality for the price
# Wren Watch/negative/sync
- Won't sync since [{date}|version {version}]. Spinning circle forever, [a month of runs gone|all my sleep data gone].
- Every sync takes {8-25} minutes and [fails at the end|kills my phone battery]. [Hate it.|]
- It disconnects from my {handset} the moment I [leave the room|lock the screen], so no notifications. [What is it
  for, then?|]
- The export gives an empty file. Two years of data and I can't get it out. [I feel cheated.|Outrageous.]
+ Deleted the app, lost my history. Support: "oh, that can happen".
+ The status page says all is well. It is not.
! Sync broken. Still.
! Lost all my workouts, furious
# Wren Watch/positive/fitness
- Lost {6-14} kilos since {month} and the Wren [kept me going|was the nudge I needed]. [Thank you!|So proud.]
- Ran my first [10k|half marathon] in {city} with it on my wrist. [Pacing was perfect.|The coach screens are
  fantastic.]
- The training plans are [excellent|smart]: they [adapt when I skip a day|never made me feel guilty]. [Love it.|]
- GPS locks on in seconds, [even between tall buildings|even in deep forest]. [Very happy runner here.|Excellent watch.]
+ The badges are silly and I adore them.
+ My whole running club has switched to it.
! Best running watch, hands down
! Keeps me moving, love it
# Wren Watch/positive/sleep
- The sleep report [made me quit coffee after two|showed me why I was so tired]. [I feel like a new person.|Life
  changing.]
- It flagged an irregular heartbeat, I saw a doctor, and [it may have saved my life|they caught it early]. [Forever
  grateful.|]
- The silent alarm [wakes me gently without waking my wife|is the best thing about it]. [Bliss.|We both love it.]
- I sleep better, I move more, and it looks [elegant|beautiful] with a suit. [Great work.|]
+ It's so light that I don't notice it at night.
+ The weekly summary is clear and encouraging.
! Sleep tracking is brilliant
! Elegant and [useful|comfortable], very happy
# Wren Watch/positive/battery
- {9-13} days on one charge. [With GPS runs!|I took no charger to {city}.] [Unbeatable.|Superb.]
- Charges in [half an hour|the time I shower] and lasts [over a week|ten days]. [Exactly what I wanted.|Love that.]
- I came from a watch I had to charge every night. [What a relief.|The Wren is heaven.]
+ Even in the cold it holds up really well.
! Battery lasts forever, great
! {10-13} days!! Wow
# Wren Watch/neutral/compat_question
- Does the Wren work with [a {handset}|older Android versions|two phones at once]?
- Can it [store music offline|broadcast heart rate to a bike computer|pair with a chest strap]?
- Which strap width does the [small|large] case take, 18 or 20 mm?
- Is the Wren [sold|serviced] in [{city}|New Zealand], or only online?
- What's the difference between the [S and the M|2025 and the 2026] model?
+ My wrist is about {14-19} cm.
+ I mostly swim and cycle.
! 18 or 20 mm strap?
! Works with {handset}?
# Wren Watch/neutral/feature_question
- How do I [switch from miles to kilometres|turn off the step goal|change the order of the screens]?
- Where can I see [the resting heart rate|last month's sleep] in the new app?
- How do I [export a workout as GPX|delete one activity|move my data to a new account]?
- Does it recognise [swimming in open water|rowing|a nap] by itself?
+ I updated to {version} on {weekday}.
+ It used to be under "Me", I think.
! How to export GPX?
! Where's the stopwatch gone?
# Kite Scooter/negative/range
- {9-17} km and it's flat. The brochure says {38-45}. [I weigh {58-74} kg, before you ask.|Nowhere near.]
- Range [halved|has dropped like a stone] since [it got cold|the summer]. Pushing a {16-19} kg scooter home [is no
  fun|in the rain, lovely].
- The battery gauge goes from three bars to [zero|dead] in [one hill|five minutes], so I [was late for work|walked
  {2-6} km].
- It [cuts power|throttles to walking pace] on the smallest slope. [Dangerous in traffic.|My gran overtook me.]
+ Tyres are at {45-50} psi, eco mode on. No difference.
+ A new battery costs {price}. I'd rather take the bus.
! Range is a lie
! Flat after {8-16} km. [Bad.|Useless.]
# Kite Scooter/negative/brakes
- The rear brake [squeals|grabs] and [does almost nothing in the wet|locked up on me at {18-24} km/h]. I went over
  the bars.
- Front brake cable [snapped|came loose] on my [third ride|way to work]. [Lucky there was no car.|I could have died.]
- Brake lever feels like [chewing gum|a wet sponge] after {2-5} months, and your workshop in {city} has a {3-7}
  week wait.
- The electronic brake [stopped working|failed] downhill. [Bruised ribs, torn jacket.|I have never been so scared.]
+ I have photos of my knee if you'd like them.
+ This is a safety issue and nobody at Larkfield seems to care.
+ I adjusted it exactly as in the video. It lasted a day.
! Brakes failed. Dangerous.
! Not safe, do not buy
# Kite Scooter/negative/hinge
- The folding hinge has [a crack|play in it] after {3-9} months. The stem [wobbles|moves] {1-3} cm. [Terrifying.|]
- It won't fold any more. It's {17-19} kilos of metal in my [hallway|office] and [I'm the joke of the team|nobody
  can get past].
- The latch opened [while riding|on a cobbled street]. The stem folded under me. [I'm lucky to be writing
  this.|Shocking quality.]
- Kickstand snapped, mudguard snapped, bell fell off. In [six weeks|one month]. [What is this made of,
  cheese?|Cheap rubbish.]
+ Your reply was to "tighten screw B". There is no screw B.
+ Two of my colleagues have the same crack in the same place.
! Hinge cracked. Unsafe.
! Fell apart in {2-5} months
# Kite Scooter/negative/app_lock
- The app locked my scooter [at the station|in front of the office] and wouldn't unlock it. [Carried it
  home.|Stranded at midnight.]
- Can't ride without logging in, can't log in without signal, no signal [in my garage|underground]. [Genius.|Who
  designs this?]
- After the {version} update the top speed is capped at {15-18}. [I paid for 25.|Nobody asked for that.]
- App wants my location "always" to turn on a headlight. [No.|Creepy and wrong.]
+ Bluetooth pairing works one time in four.
+ I'd return it today if I still had the box.
! Locked out of my own scooter
! App is awful
# Kite Scooter/positive/ride
- [Pure joy.|So much fun.] I [grin all the way to work|take the long way home] and I'm {45-63}.
- Smooth, [quiet|stable], and it [eats hills|shrugs off cobbles]. [Best scooter I've ridden.|Love it.]
- The suspension is [superb|so good]: {city}'s potholes don't bother me any more.
- {900-2900} km in, one set of tyres, zero problems. [Brilliant machine.|Superb engineering.]
+ People stop me at traffic lights to ask what it is.
+ Brakes are strong and progressive, I feel safe on it.
! So much fun, love it
! [Smooth|Great] ride, [great quality|very happy]
# Kite Scooter/positive/commute
- Sold my second car. The Kite takes me to work in {12-25} minutes [and costs pennies|instead of 40]. [Best
  decision.|]
- Folds in two seconds, fits under my desk, [gets me past every traffic jam|takes me up the hill to the
  station]. [Perfect
  commuter.|]
- I get to see my kids an hour earlier every day. [That's priceless.|Thank you.]
- Charged once [a week|every three days], ridden daily since {month}, [not one complaint|still like new]. [Very
  pleased.|]
+ The lights are bright enough for real winter mornings.
+ Your workshop in {city} adjusted it for free while I had a coffee. [Fantastic service.|So friendly.]
! Changed my commute, thank you
! Worth every penny
# Kite Scooter/neutral/rules_question
- Is the Kite [street legal|allowed on cycle paths] in [Ireland|Scotland|Ontario|Victoria]?
- Do I need [insurance|a number plate|a helmet] for it?
- Can I take it [on the train|on a plane|on the ferry]? What's the battery capacity in Wh?
- What's the maximum [rider weight|load with a child seat]?
- Which speed modes are there, and can the top speed be limited for my [daughter|son]?
+ I'd use it in {city}, mostly on bike lanes.
+ The conformity certificate isn't in the box.
! Battery capacity in Wh?
! Maximum rider weight?
# Kite Scooter/neutral/parts_question
- What tyre size does the Kite take, and [are solid tyres available|which tube]?
- How do I [adjust the rear brake|reset the trip counter|register the frame number]?
- Do you have a workshop near {city}?
- How often does it need a service, by kilometres or by months?
- Is the [front light|throttle] the same part as on the 2025 model?
+ It has {300-2400} km on it.
+ Frame number starts with KS{2-7}.
! Tyre size?
! Workshop in {city}?
"""
