"""What English-speaking customers say about the things in their homes: router, doorbell, vacuum.

The notation is that of `grammar.py`.
"""

TEXT = """
# Heron Router/negative/dropouts
- The Heron drops the connection [three or four times a day|every evening around {6-9}|whenever it rains, I swear] and
  [I have to pull the plug to get it back|takes ten minutes to recover].
- Wifi cuts out [in the middle of every video call|every single night, right when we sit down to watch something].
  [My boss thinks I do it on purpose.|It's embarrassing at this point.|We've gone back to mobile data.]
- I lose internet on this router [about every {20-50} minutes|more often than I lose my keys]. The modem is fine,
  [I checked|my provider checked], it's the Heron.
- Kids doing homework, [wife|husband] on a call, and the router [gives up|dies] again. [Third|Fourth|Fifth] time
  this week.
- [Blinking orange light again.|Orange light of death again.] No internet since [{hour}|lunchtime|last night].
- My [old ISP box|ten-year-old router] never dropped once. This [fancy|expensive] thing [drops daily|can't stay up
  for a day].
- [Great, another|Oh wonderful, yet another] outage. [Love paying {price} for a paperweight.|At least the light is
  pretty.]
+ I've already [changed the channel|moved it away from the microwave|factory reset it twice] and nothing changed.
+ The log says "WAN link down" [{6-40} times since {weekday}|over and over], nothing else.
+ I work from home so this [is costing me money|makes the thing worthless to me].
+ The satellite in the [hallway|attic|garage] falls over first, then the rest goes with it.
+ It's worst on the [5 GHz|6 GHz] band, but [2.4|the guest network] isn't safe either.
! Drops constantly. [Useless.|Returning it.]
! No internet AGAIN
! [Unreliable|Rubbish|Terrible] router[, avoid|, sending it back]
# Heron Router/negative/speed
- Paying for [500|900|1000] megabit and the Heron gives me [{18-70}|{12-40} on a good day]. [What a joke.|Pathetic.]
- Speeds [collapsed|fell off a cliff] after [the first week|we added the second satellite]. Cabled I get full
  speed, over
  wifi [it crawls|barely {9-30}].
- Upstairs bedroom gets [one bar|almost nothing] even though the box promised "[whole home|wall to wall] coverage".
- Streaming in 4K? Forget it. [This router can't even hold HD|Everything buffers] once [the kids are home|two
  people are online].
- The QoS setting is a [placebo|lie]. I put my work laptop first and [the console|the TV] still
  eats everything.
+ Tested [at two metres, line of sight|in every room with the same laptop], so don't tell me it's the walls.
+ My neighbour's [cheap|forty quid] router does {200-600} through the same wall.
+ Latency jumps to {180-900} ms [every few seconds|in games] which makes it unplayable.
+ Support [ran a speed test from their end and called it normal|said "results may vary"]. [Seriously?|Useless.]
! So slow it hurts
! {11-39} Mbps on a gigabit line. [Awful.|Unacceptable.]
# Heron Router/negative/setup
- [Two|Three] hours of my [Sunday|evening] gone and the Heron still won't [finish setup|find its own satellite].
- Setup app gets to [{80-99} %|step 4 of 5], says "something went wrong" and [starts from zero|forgets everything].
- You cannot [set this up|change the password] without an account and a phone. [No web page, nothing.|Ridiculous
  for a router.]
- The QR code on the bottom [doesn't scan|was half rubbed off] and the app has no way to type the code. [Brilliant
  design.|]
- Tried to add a second node for {2-5} days now. It pairs, [goes purple|blinks], and disappears. [I give
  up.|Infuriating.]
+ Instructions are a [cartoon|single sheet] with no words and [four wrong pictures|no help at all].
+ Yes, bluetooth is on. Yes, location is on. Yes, I [restarted|unplugged] everything. [Twice.|]
+ I do this for a living and even I [couldn't get it going|had to look for the hidden recovery mode].
! Setup is a nightmare
! [Couldn't|Could not] get it working. Sent back.
# Heron Router/positive/coverage
- [Finally|At last] full bars in the [back bedroom|basement|garden office]. The Heron [did what three other routers
  couldn't|just works].
- One Heron and one satellite cover our whole [house|{3-5}-bedroom place], [stone walls|concrete floors] included.
  [Impressed.|Love it.]
- Signal in the [garage|shed at the end of the garden] is better than what I used to get [on the sofa|next to the
  old box]!
- Dead zones [gone|are history]. My [teenager|flatmate] has stopped complaining, which [is a miracle|says it all].
- I measured every room: the worst is {280-480} Mbps. I'm [delighted|really happy with that].
+ Roaming between the nodes is seamless, I can walk around on a call [and never notice|without a hiccup].
+ Best money we spent on the house this year.
+ It even reaches the [car|bus stop across the road], which is funny but [handy|great].
! [Brilliant|Excellent|Superb] coverage
! Whole house covered, very happy
# Heron Router/positive/easy_setup
- Out of the box and online in [under {7-14} minutes|the time it takes to make tea]. [Wonderful.|Easiest router ever.]
- I'm {67-81} and I set the Heron up [on my own|without calling my son]. [Very clear app, well done.|That made my
  day.]
- Swapped the provider's box for the Heron, kept the same wifi name, and [every device just reconnected|nobody
  noticed]. Perfect.
- [Setup was a pleasure|The app walks you through it beautifully], and adding the second node took [one tap|a minute].
+ The person on chat stayed with me until [the printer was back|everything worked], so kind.
+ Parental controls are [simple and they work|a lifesaver on school nights].
! So easy to set up, thank you!
! Plugged in, works. [Great.|Lovely.]
# Heron Router/positive/stability
- {3-14} months, zero reboots. [I forget it exists, which is the highest praise.|The best router I've owned.]
- Solid as a rock. [Two people on video calls, one gaming, no drama.|Not one drop since {month}.]
- Gaming ping went from {45-90} to {9-19}, [I'm so happy|my squad noticed]. [Great piece of kit.|Worth every penny.]
- I was sceptical after the [last two brands|reviews], but the Heron has been [flawless|fantastic].
+ Runs cool and quiet too, unlike the [last one|hairdryer I had before].
+ {25-60} devices on it, cameras and all, and it [doesn't break a sweat|stays fast].
! Rock solid. [Recommended.|Five stars.]
! Fast and reliable, love it
# Heron Router/neutral/settings_question
- [Does|Can] the Heron [do|support] [IPv6 prefix delegation|VLANs on the guest port|WPA3 only mode|a scheduled
  restart]?
- How do I [forward a port|reserve an IP address|change the DNS server|turn off the LED at night] on the Heron?
- Where in the app is [bridge mode|the list of blocked devices|the option to split 2.4 and 5 GHz]? I'm on app
  version {version}.
- Is it possible to [wire the satellites|use a third-party switch between the nodes|run two Herons on one account]?
- What is the default [admin address|range for DHCP|guest network password length]?
+ I want to [run a small server|connect a printer that only does 2.4|keep the kids' tablets off after nine].
+ Firmware shows as 7.1.{1-6}.
+ The manual mentions it [on page {8-30}|in one line] but gives no steps.
! Bridge mode, yes or no?
! Which [ports|DNS] does the Heron use?
# Heron Router/neutral/buying_question
- Will one Heron be enough for [{70-160} square metres|a two-floor flat in {city}], or do I need the two-pack?
- Is the Heron compatible with [fibre from my provider|a cable modem from 2019|the older Heron satellites]?
- [When|Do you know when] will the [white|two-pack] be back in stock?
- What's the difference between the Heron and the Heron Plus[, apart from the extra port|]?
- Ordered the router on {date}, order {order}. Could you tell me the expected delivery day?
+ The flat has [brick|plasterboard] walls, if that matters.
+ I have [a {300-1000} Mbps line|around {12-40} devices].
! Ships to {city}?
! Is a satellite included?
# Owl Doorbell/negative/missed_alerts
- The doorbell [tells me someone was there|rings my phone] [five|ten] minutes after they've left. [What's the
  point?|Useless.]
- [Missed|I missed] {2-5} deliveries [this week|in a row] because the Owl [didn't ring|sent nothing]. The courier
  rang, I have it on
  [my neighbour's camera|his photo].
- Notifications come [when they feel like it|hours late or not at all]. I reinstalled, [reset|repaired], shouted at
  it. Nothing.
- My mother stood in the [rain|cold] for {10-25} minutes pressing the button. Not a sound on my phone.
  [Unacceptable.|I'm furious.]
- Chime inside the house works [one time in three|only if it's in a good mood].
+ All permissions are on and battery saver is off, before you ask.
+ It's {3-8} metres from the router, signal is "excellent" according to your own app.
+ The event shows up in the history, so it saw them. It just didn't bother to tell me.
! Rings too late, pointless
! Missed another parcel. [Thanks Owl.|Terrible.]
# Owl Doorbell/negative/subscription
- So I bought the camera and now I have to pay {monthly} a month to [see my own recordings|look back further than
  an hour]?
- The [free|basic] plan used to keep {7-14} days of clips. Now it's [24 hours|nothing]. [That's a bait and
  switch.|Shameful.]
- Cancelled the Owl plan on {date} and was [charged again|billed for another year]. Refund refused. [Disgusting.|]
- Person detection [moved behind|is now part of] the paid tier. I bought it [for exactly that|because the box said
  it was included].
+ The box says "no fees". I have it in front of me.
+ Feels like ransom, to be honest.
+ I would never have bought it if I had known.
! Paywall for everything. [Greedy.|Shame.]
! Paying to open my own door
# Owl Doorbell/negative/night_video
- At night all I see is [a white blur|the reflection of the porch light|grey soup]. You couldn't recognise your own
  [brother|mother].
- Someone [took a parcel|tried our car doors] at {2-4} in the morning and the clip is [four seconds of fog|useless
  black].
- False alarms all night long: [moths|a spider|headlights|the neighbour's cat|my own flag]. {30-90} alerts before
  breakfast.
- Picture was fine in summer, since {month} the lens [fogs up|has condensation inside] every [night|morning].
+ The police asked for the footage and [laughed|said there was nothing they could do with it].
+ I cleaned it, changed the angle, changed the sensitivity. Still bad.
+ "Colour night vision" it says on the box. Which colour, black?
! Night vision is a joke
! Alerts for every leaf. Awful.
# Owl Doorbell/positive/peace_of_mind
- I live alone and [seeing who's there before I open|the Owl by the door] makes me feel so much [safer|calmer].
- Was on holiday in {city} and [talked to the courier|let my sister in] as if I were home. [Magic.|Love
  it.|Brilliant.]
- Caught the [parcel thief|guy who scratched the car] in sharp detail. [Police were impressed.|Got everything
  back!] Thank you.
- My dad has dementia and the Owl tells me when he goes out. [I can't thank you enough.|It has given us our sleep
  back.]
- The kids wave at the camera when they get home from school and it [makes my day|is the best part of my afternoon].
+ Alerts arrive within [a second or two|a heartbeat], every time.
+ Two-way sound is clear, people actually understand me.
! Feel so much safer now
! [Best|Great] doorbell, [really happy|no regrets]
# Owl Doorbell/positive/picture
- Picture quality is [stunning|superb], I can read the [label on the parcel|number plate across the street].
- [Crisp|Beautifully sharp] even at night, and the wide angle shows the whole [step|porch]. [Very pleased.|Excellent.]
- The person detection is spot on: [no alerts for the cat|ignores the trees], always catches people. [Great work.|]
- Fitted it in [{15-30} minutes|half an hour] with the tools in the box and the picture is lovely. [Happy customer.|]
+ Battery still at {70-90} % after [six weeks|two months].
+ My neighbours have ordered one after seeing mine.
! Super sharp picture
! Great camera, easy to fit
# Owl Doorbell/neutral/wiring_question
- Does the Owl work with a [16|24|8] volt transformer, or do I need the adapter?
- How long [is the screw|are the screws] that come with the wedge mount? The wall here is [brick|render over
  insulation].
- Can I use my existing [mechanical|digital] chime with it?
- What temperature range is the battery rated for? Winters in {city} get to minus {15-28}.
- Is there a way to mount it [on a metal door frame|without drilling]? I rent.
+ The old bell is from the {70-90}s.
+ I have the wired version, bought [in {month}|last year].
! Wedge mount included?
! Which transformer do I need?
# Owl Doorbell/neutral/storage_question
- How many days of video are kept on [the basic plan|a local card], and at which resolution?
- How do I [share access with my husband|give my cleaner a guest login|download a clip to my computer]?
- Where are the recordings stored, [in the EU or elsewhere|on the device or in the cloud]?
- Can the motion zone be a [polygon|custom shape], or only a rectangle?
+ App is {version} on [Android|iOS].
+ Two people in the house need the alerts.
! How do I export clips?
! Local storage possible?
# Puffin Vacuum/negative/stuck
- It gets stuck under the [same sofa|same radiator|bathroom door] every single day. [It has a map! It should
  know!|Stupid thing.]
- I come home and the Puffin is [wedged under the bed|eating a phone cable|dead in the hallway]. [Again.|As always.]
- It fell down the stairs [last night|on {weekday}]. So much for the "cliff sensors". Now the [wheel|bumper] is
  broken.
- Lost its map after I moved [one chair|the laundry basket], now it [wanders around like a drunk|cleans the same
  two metres].
- It drove straight through [the dog's accident|a bowl of cat food] and spread it over [three rooms|the whole rug].
  [I cried.|Disgusting.]
- [{40-90} minutes to clean a {9-14} m² room and it missed the middle.|It cleans one half of the kitchen and calls
  it done.]
+ I've drawn no-go zones. It ignores them.
+ The app says "Puffin needs help" so often my kids think that's its name.
+ Cleaned the sensors, replaced the brush, rebuilt the map. No difference.
! Stuck again. [Every. Day.|Hopeless.]
! Worst robot I've owned
# Puffin Vacuum/negative/noise
- Louder than [our old upright|a hair dryer in a bucket]. You can't [watch TV|be on the phone] in the next room.
- After {3-8} months it started to [grind|squeal|rattle] like a coffee mill, and it's getting worse.
- The dock empties itself with a [bang|roar] that [wakes the baby|sends the cat up the curtains]. There's no way to
  schedule it.
- "Quiet mode" is anything but, and it leaves [half the dirt|all the crumbs] behind. [So disappointed.|]
+ The neighbours below have complained.
+ Took the roller out, nothing caught in it. It's the motor, I think.
! Way too loud
! Sounds like a tractor, picks up nothing
# Puffin Vacuum/negative/dock
- Won't find its dock [half the time|any more], circles it for ten minutes and dies [a metre away|right in front of
  it].
- Battery used to do the whole flat. Now it gives up after {18-35} minutes. Bought in {month}! [Shoddy.|Not
  acceptable.]
- The self-empty bag [jams|is never emptied properly] and a pack of three costs {fee}. [Rip-off.|]
- Charging contacts are [burnt black|corroded] after {4-9} months. [Is this even safe?|That's scary.]
+ Warranty claim {ticket} has been "in review" for {2-5} weeks.
+ It now sits in a corner, the most expensive doorstop we have.
! Battery dead in {5-11} months
! Dock never works
# Puffin Vacuum/positive/pet_hair
- Two [golden retrievers|huskies|long-haired cats] and I can see my floor again. [I love this thing.|Amazing.]
- Picks up [cat litter|dog hair] like nothing else I've tried, and the brush doesn't [tangle|clog]. [Brilliant.|]
- We called ours [Gerald|Dusty|Sir Sucks-a-lot] and he's the best member of the family.
- My allergies are so much better since we [got the Puffin|run it every day]. [Thank you!|I'm thrilled.]
+ The dog used to bark at it, now he [follows it around|sleeps through it].
+ Emptying it is clean and takes ten seconds.
! Pet hair gone, love it
! [Amazing|Fantastic] with dog hair
# Puffin Vacuum/positive/mapping
- It mapped the whole flat in [{9-20} minutes|one go] and [never misses a spot|has not got stuck once]. [Clever
  little robot.|Very impressed.]
- I start it from [the tram|work] and come home to clean floors. [Best purchase this year.|Pure luxury.]
- Room by room cleaning works [perfectly|like a dream]: kitchen after breakfast, bedrooms at noon.
- Goes around [toys, cables, socks|chair legs] as if it had eyes. My [old one|previous brand] was blind by comparison.
+ Quiet enough that I take calls while it runs.
+ Spare parts are easy to get and fairly priced too, which I really appreciate.
! Clean floors every day, happy
! Smart, quiet, [great value|wonderful]
# Puffin Vacuum/neutral/parts_question
- Which [filter|side brush|dust bag] fits the Puffin V{2-4}? There are two part numbers on your site.
- How often should the [filter|main brush] be [replaced|washed]?
- Is the battery user-replaceable, and what's the part number?
- Does a pack of [three|six] bags fit the older dock?
+ The label underneath says PV{2-4}-{100-480}.
+ It's about {8-20} months old.
! Part number for the filter?
! Where do I get bags?
# Puffin Vacuum/neutral/use_question
- Can it handle [a {15-22} mm threshold|thick rugs|underfloor heating]?
- How do I [reset the map|rename a room|copy the map to a second floor]?
- Is there a way to run it [only on weekdays|twice in the hallway|at a set time when nobody is home]?
- Does it work without [wifi|the cloud], just with the button?
- What detergent can go in the mop tank?
+ We have [tiles and one long-pile rug|parquet in every room].
+ The app is version {version}.
! Works on carpet?
! How to delete a map?
"""
