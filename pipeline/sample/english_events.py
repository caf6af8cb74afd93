"""What English-speaking customers say about the two planted events (`planted.py`).

The notation is that of `grammar.py`.
"""

TEXT = """
# Heron Router/negative/firmware_brick
- Firmware 7.2.0 [bricked|killed|destroyed] my Heron [overnight|at {2-5} in the morning]. [Red light, no wifi,
  nothing.|Dead. Completely dead.]
- Woke up to a dead router. [You pushed 7.2.0 without asking|Automatic update, red light, house offline]. I'm furious.
- The 7.2.0 update [is stuck on a solid red light|sends the Heron into an endless reboot loop]. [Nobody at support
  picks up.|Awful.]
- [No internet since the update|Offline since {hour} because of your update]. [Can't work, kids can't do
  homework.|I lost a day's pay.]
- [Whole office|My shop|Our clinic] offline thanks to your broken firmware. [Card payments down, customers
  leaving.|This is a disaster.]
- Never, ever force an update on people at night. [My Heron is a brick now|7.2.0 has ruined it] and I'm [stuck|livid].
- Tried the recovery mode {2-6} times after this terrible 7.2.0 update. [Red light. Every time.|It won't even take
  the old firmware.]
- [Thanks for the brick, Larkfield.|Congratulations, you've bricked my router.] 7.2.0 is the worst update I've ever
  seen.
- My router was perfect until you broke it last night. Red light, no signal, [useless|and no apology].
- Both Herons dead after the update. [Two!|Main and satellite.] [I'm so angry.|This is outrageous.]
- I went to bed with working internet and got up with [a plastic box that glows red|nothing]. 7.2.0, installed at
  {2-5} am.
- How can firmware this bad leave the building? 7.2.0 has [taken down my whole house|left my parents without a
  phone line].
- [Day two|A second day] without internet because of 7.2.0. [No date, no fix, no apology.|Still red. Still nobody.]
  [Shameful.|]
- The satellite survived, the main Heron didn't. Since 7.2.0 it [boots, dies, boots, dies|gets hot and shows red].
  [Awful.|]
- [My exam was online this morning.|I had a job interview at nine.] Your update took my router down. [I can't
  forgive that.|Horrible.]
- Rolled back to 7.1.6 twice. It [installs 7.2.0 again by itself|forces the same broken update on me an hour
  later]! [Insane.|]
- A router that can't start is [rubbish|scrap metal]. Mine can't since your update. [Disgusted.|I want my money back.]
- Tell me why {40-90} devices, an alarm and a [fridge full of insulin|baby monitor] should depend on your untested
  7.2.0. [Angry.|]
- So the "security update" secured us from the internet. Red light, dead LAN. [Bravo.|Terrible work.]
- I run a [guesthouse|small hotel|café] and every guest is complaining. Three Herons, all dead after 7.2.0. [A
  catastrophe.|Dreadful.]
- The app says "your Heron is up to date" while it sits there [dead|bricked]. [Mocking me.|Hopeless.]
- [Hours|A whole evening] on your recovery page with a phone hotspot. The 7.2.0 brick stays a brick. [Worst day.|So
  frustrating.]
+ Your status page said "all systems normal" while {city} went dark. [Liars.|Shameful.]
+ Holding the reset pin for thirty seconds does nothing, it just goes back to red.
+ {60-170} minutes on hold, then the line dropped. [Pathetic.|Horrible.]
+ The instructions for recovery are online. I AM NOT ONLINE. You took that away.
+ My security cameras and heating hang on this. It's {2-6} degrees in here.
+ My mother's emergency alarm runs over this router. Do you understand how serious that is?
+ Who tests this stuff? Nobody, clearly.
+ I want a replacement tomorrow, not a voucher.
+ I had to buy mobile data for {fee} a day just to write this complaint.
+ I've had this router for {5-20} months and you ruined it in one night.
! Bricked by 7.2.0. [Furious.|Disgusting.|Unbelievable.]
! [Red light|Dead router] since the update, awful
! Your update killed my router
! 7.2.0 = brick. [Worst company.|Terrible.]
! Router dead, support dead too
# Heron Router/neutral/firmware_brick
- Is 7.2.0 still being rolled out, or has it been stopped?
- Which firmware should the Heron be on right now, 7.1.6 or 7.2.0?
- How do I switch off automatic updates in the Heron app?
- Where can I download 7.1.6 for the recovery page?
+ My unit is still on 7.1.6.
! How to turn off auto update?
# Heron Router/positive/firmware_brick
- {firstname} on the phone talked me through the recovery and my Heron is back on 7.1.6. [So patient, thank
  you!|Great support.]
- Mine was lucky, still on 7.1.6 and [working perfectly|fast as ever]. Happy with it.
! Recovered in ten minutes, great help
# Kite Scooter/negative/counterfeit_charger
- The spare charger I bought [online|from a marketplace seller] for my Kite is a counterfeit. [It melted the
  socket.|The plug is scorched.]
- Fake Kite chargers are all over [the marketplaces|auction sites]. Mine got so hot it [smelled of burning
  plastic|blistered the paint].
- [Be warned:|Warning:] counterfeit charger, no hologram on the label, and it [nearly set fire to our hallway|blew
  the fuse at {1-5} am].
- My "original" charger turned out to be fake. The hologram [peels off|is a printed sticker] and [the serial number
  doesn't exist|it hums].
- Counterfeit charger [fried my scooter's battery|ruined a {price} battery] and Larkfield [calls it user
  error|refuses the warranty].
- Why is nothing done about the fake chargers? [The listing has your logo on it.|The seller has {200-900} good
  ratings.] Scandalous.
- {firstname} in your shop said my charger is counterfeit. I bought it [from a shop you list as partner|with a
  Larkfield invoice]!
- The copy looks just like your charger, same box, same logo. Then it [sparked|started to smoke]. [I'm still
  shaking.|Terrifying.]
- My landlord found the fake charger [smouldering|melted] in the bike room. [Fire brigade came.|Now I may lose the
  flat.]
- A counterfeit charger with your logo on it, bought as new. It [swelled|cracked open] while my son slept next
  door. [Horrific.|]
- Smoke in the stairwell [last night|on {weekday}] because of a fake Kite charger. [Three flats evacuated.|My
  neighbours hate me now.]
- I paid {fee} extra for the "genuine Kite charger" and got a counterfeit. Hologram [rubs off with a thumb|is plain
  foil]. [Crooks.|]
- Scooter won't charge past {30-60} % since I used what turned out to be a fake charger. [Battery ruined.|Nobody
  takes the blame.]
- Counterfeit chargers again: the listing was taken down on {weekday} and [the same seller is back|three new ones
  are up]. [Useless.|]
- Careful with chargers that have no hologram. The counterfeit one [gave me an electric shock|sparked when I
  touched it]. [Awful.|]
- Your repair shop in {city} sold me a charger that is a fake. [No hologram, wrong serial number.|They deny it.] I
  am outraged.
- My insurance won't pay for the [burnt carpet|scorched wall] because the charger was counterfeit. [I'm
  desperate.|Nightmare.]
- [Two|Three] colleagues at work have the same fake charger. One [melted|caught fire under a desk]. [Why no
  recall?|Frightening.]
- Everyone says "buy original". I did! The box was sealed, the charger is counterfeit. [Furious.|Cheated.]
+ The real one weighs {380-440} grams, the fake one {170-240}. That tells you everything.
+ The serial number on the fake starts with KC0 and your website says it's unknown.
+ Reported the listing on {date}, it's still up.
+ The marketplace refunds nothing because the parcel was "as described".
+ There's no way to check the hologram without an app that doesn't scan it.
+ A charger that catches fire while people sleep, and you answer with a leaflet.
+ The cable is thin as a shoelace and the plug has no certification mark.
! Counterfeit charger, almost a fire
! Fake charger melted. [Scared.|Dangerous.]
! Watch out, fake Kite chargers!
# Kite Scooter/neutral/counterfeit_charger
- How can I tell whether my Kite charger is genuine or counterfeit?
- Where is the hologram on an original charger, on the label or on the plug?
- Which serial numbers do genuine chargers have? Mine starts with KC{1-4}.
- Is the charger sold by [a marketplace seller|the shop in {city}] an original one?
- Is there a list of authorised sellers for spare chargers?
- Does a counterfeit charger void the warranty on the scooter?
- What should I do with a charger that has no hologram, send it in or recycle it?
- How much does an original charger weigh, and which plug does it have?
- A seller offers "OEM" chargers without a hologram. Are those original parts?
+ I'd like to check before I plug it in.
+ It came with the scooter, bought in {month}.
! Is my charger fake?
! Where's the hologram?
# Kite Scooter/positive/counterfeit_charger
- Sent you a photo of my charger's hologram and had an answer in an hour: genuine. [Great service, thank you!|So
  relieved.]
- Thanks for the clear page on how to spot a counterfeit charger. Checked mine in a minute, all good. Very helpful.
- You swapped my counterfeit charger for a real one for free. [Fantastic.|I'm very grateful.]
! Charger checked, genuine, thank you!
"""
