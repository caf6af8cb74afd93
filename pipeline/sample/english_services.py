"""What English-speaking customers say about services: bank, meal kit, phone plan.

The notation is that of `grammar.py`.
"""

TEXT = """
# Magpie Bank/negative/login
- Locked out of my own account since [{date}|{weekday}]. The app says "[try again later|session expired]" and [has
  done for days|nothing else].
- Face recognition fails, the code never arrives, [and the help button needs a login|so I can't pay my rent].
  [Brilliant.|]
- New phone, so no access to my money. [They want a video of my face holding a passport. Rejected {2-5}
  times.|Nobody can help.]
- The {version} update logs me out [every two minutes|in the middle of a payment]. [Unusable.|I'm switching banks.]
- App crashes [on the splash screen|as soon as I tap "Pay"] on my {handset}. [How does a bank ship
  this?|Unbelievable.]
+ I have bills to pay and a bank that doesn't know me.
+ Reinstalled {2-6} times. Cleared the cache. Nothing.
+ Being told to "check the FAQ" while my wages are in there is insulting.
! Can't log in. Again.
! App crashes constantly, [awful|shambles]
! Locked out, nobody answers
# Magpie Bank/negative/card_declined
- My card was declined [at the supermarket with a full trolley|at a petrol station near {city}], money in the
  account, [no explanation|zero help].
- You froze my card for "unusual activity". I bought [a train ticket|nappies]. [I was stranded for a
  day.|Humiliating.]
- Replacement card was supposed to take 3 days. It's been {12-26}. [I have no way to pay for anything.|Appalling.]
- Card blocked on holiday in {city}, [two kids, a hotel bill|late at night], and the chat says "we're busy". [Never
  again.|]
- Paid a {fee} coffee twice, rent zero times. [The card machine works for everyone else.|What a bank.]
+ The fraud team closes at six. Fraud doesn't, apparently.
+ I had to borrow money from a colleague. At my age.
+ I've been a customer for {3-8} years and this is how I'm treated.
! Card declined. Again. [Humiliating.|]
! Blocked my card for nothing
# Magpie Bank/negative/transfers
- A transfer of {price} has been "pending" since {date}. [It left my account, it didn't arrive.|Where is my money?]
- My salary arrived [three|four] days late, everyone else at work [was paid on time|uses another bank]. [Rent
  bounced.|]
- Sent money to the wrong pot because the buttons moved in the update, and [you can't undo it|support shrugs].
- Standing order [ran twice|vanished] and now [I'm overdrawn|my landlord is threatening me]. [Your error, my fee.|]
+ Case {ticket}: {3-8} different agents, {3-8} different answers.
+ Nobody can tell me where the money is. It's a bank!
+ I've filed a complaint with the ombudsman.
! Where is my money???
! Transfer lost, no answer
# Magpie Bank/negative/fees
- {fee} for [a cash withdrawal|"inactivity"|a paper letter]? That was never announced. [Sneaky.|Shameless.]
- The exchange rate you used in {city} was {3-6} % worse than the market. "No hidden fees", you say. [Liars.|]
- Interest on the savings pot was cut to {0-1}.{1-9} % without a word. [Bye then.|Disgraceful.]
- I've been charged {fee} {2-4} times for the same thing and every time I have to [beg|argue] to get it back.
+ I only found out because I read my statement line by line.
+ The "premium" account gives me nothing I use.
! Hidden fees everywhere
! Another fee. I'm leaving.
# Magpie Bank/positive/app_ease
- Best banking app I've used. [Opened the account on the bus|Everything in two taps], no branch, no paper. [Love it.|]
- Instant notifications for every payment, [so I finally know where my money goes|my budget has never looked
  better]. [Fantastic.|]
- Moved everything over from a big bank and [should have done it years ago|haven't looked back]. [So happy.|]
- Splitting bills with my flatmates takes [five seconds|one tap]. [No more awkward talks!|Genius.]
+ It's fast, clear, and [it doesn't try to sell me things|looks lovely].
+ Version {version} is the smoothest yet, [great work|thank you].
! Brilliant app, so easy
! Love this bank
# Magpie Bank/positive/savings
- The round-up pots have saved me {price} since {month} [without me noticing|and that's my holiday]. [Amazing idea.|]
- I was terrible with money. With Magpie's pots I [paid off my card|have savings for the first time]. [Thank you so
  much.|]
- Great interest on the savings pot and [you can take it out any time|no tricks]. [Very satisfied.|]
- My daughter saves her pocket money with it and [loves watching it grow|is so proud]. [Wonderful.|]
+ The little bird that chirps when you reach a goal makes me smile.
+ It's the first bank that makes saving feel good.
! Pots are a great idea
! Saved more than ever, thanks
# Magpie Bank/positive/support
- Card stolen in {city} at midnight, frozen in one tap, [new one at the hotel two days later|a real human answered
  in a minute]. [Superb.|]
- Spoke to {firstname} in support, [so patient and kind|sorted in five minutes]. [Please give them a
  raise.|Excellent service.]
- You spotted a fraudulent payment [before I did|at once] and gave me the money back [the same day|in an hour].
  [Impressed and grateful.|]
- Wrong transfer, my own fault, and they [got it back for me|still helped]. [Can't praise them enough.|]
+ No queue, no music, no scripts, just help.
! Amazing support, thank you {firstname}
! Fast, friendly, [perfect|excellent]
# Magpie Bank/neutral/statement_question
- Where do I find [a statement for {month}|the tax certificate|my IBAN] in the app?
- How can I [export transactions to CSV|change my address|add a joint account holder]?
- What's the [daily limit for transfers|cut-off time for same day payments|limit for contactless]?
- I've moved from {city}. [Which documents do you need?|Do I have to send proof of address?]
- Can I have two [cards|accounts] under one login, one for my [business|freelance work]?
+ I need it for [my tax adviser|a visa application|the letting agency].
+ I'm using {version} on [Android|iOS].
! How do I change my PIN?
! Where's my IBAN?
! Daily transfer limit?
# Magpie Bank/neutral/travel_question
- I'm travelling to {city} next month. Do I need to tell you before I use the card?
- Which exchange rate applies when I pay in [dollars|yen|Swiss francs], the one of the day or of the booking?
- Does the card work [at toll stations|for car rental deposits]?
- Is there a fee for withdrawing cash abroad, and from which amount?
+ I'll be away from the {nth_early} to the {nth_late}.
+ I have the standard account.
! Fee for cash abroad?
! Does it work in Japan?
# Quail Kitchen/negative/late_box
- Box arrived [{2-4} days late|at {9-11} at night|on the wrong day], [ice packs melted, fish warm|after we'd
  ordered pizza].
- My delivery was left [in the rain|at number {12-90}|behind the bins] and [the foxes got it first|half of it was
  gone]. [Great.|]
- Third week running without a box. "[The carrier|Our partner] had difficulties." [And I have hungry
  children.|Ridiculous.]
- Tracking says delivered. There's no box. [There's never a box.|The photo shows somebody else's door.]
+ A {fee} voucher doesn't feed four people.
+ I plan my week around this, that's the entire idea.
+ Order {order}, in case anyone reads this.
! No box. Again.
! Late every week, [cancelling|fed up]
# Quail Kitchen/negative/spoiled
- The [chicken|salmon|mince] smelled [off|like a swamp] the day it arrived. [Threw the lot in the bin.|My partner
  was sick all night.]
- Slimy [spinach|coriander|lettuce], [green potatoes|a mouldy lemon], one sad carrot. [For {box} a week?|]
- Found a [slug|piece of plastic|hair] in the [salad|rice]. [I feel ill.|That's it for me.]
- Half the ingredients [missing|crushed]: no [cheese|sauce|noodles], so what exactly am I supposed to cook?
- The use-by date was [yesterday|two days before delivery]. [That's dangerous, not just annoying.|How does that get
  packed?]
+ You offered {fee} credit for food poisoning. Think about that.
+ The cold pack was as warm as tea.
+ Photos attached to ticket {ticket}.
! Rotten vegetables. [Disgusting.|]
! Meat was off. Never again.
# Quail Kitchen/negative/price
- Portions get smaller, price goes up. [{monthly} more since {month}.|My teenager laughed at the "family" box.]
- {box} a week for [two potatoes and a sachet|pasta with tomato sauce]? [I can shop, thanks.|Robbery.]
- "30 minutes" takes [an hour and twenty|me and my husband together 75 minutes], and every pan in the house.
  [Exhausting.|]
- The same [chicken traybake|lentil thing] {3-5} times a month with a new name. [Boring and overpriced.|]
+ Every sprig of parsley comes in its own plastic bag.
+ I did the sums, the supermarket is half the price.
! Tiny portions, big price
! Overpriced and bland
# Quail Kitchen/negative/cancel
- I cancelled on {date} and you still [sent a box|took {box}]. [Twice.|Give it back.]
- To cancel you have to [phone between nine and five|click through seven pages of guilt]. [Manipulative.|Shameful.]
- The "skip" button [doesn't skip|unskipped itself]. I have {2-4} boxes of food nobody ordered [rotting in the
  hall|and no refund].
- Intro offer said {fee} per box. [Charged full price from week one.|Small print, of course.] [Feels like a scam.|]
+ My bank is now disputing it.
+ Every email answers a question I didn't ask.
! Can't cancel. [Scam.|Trapped.]
! Charged after cancelling, angry
# Quail Kitchen/positive/recipes
- The [miso aubergine|harissa chicken|squash risotto|lime tofu] was [restaurant good|the best thing I've cooked all
  year]. [Yum.|]
- I couldn't boil an egg in {month}. Now I make [ramen|gnocchi] from scratch and [my dad asked for seconds|I love
  cooking].
- My {5-9}-year-old ate [fennel|beetroot|a whole bowl of greens]. Voluntarily. [You're magicians.|I nearly cried.]
- Recipes are clear, [funny|varied], and they always work. [Our Fridays are so much nicer.|Delicious every time.]
+ We keep the cards in a folder and cook them again.
+ Even the vegan ones convinced my very carnivorous husband.
! Delicious, every single time
! Best meal kit, so tasty
# Quail Kitchen/positive/freshness
- Everything [fresh|crisp], nothing missing, packed with care. [Three months without a miss.|Really impressed.]
- The [herbs|vegetables] last for days and the fish [smells of the sea, as it should|is superb]. [Great quality.|]
- Box was on the doorstep at {7-9} sharp, cold as winter, [with a thank you note|as always]. [Perfect service.|]
- One egg was cracked, I sent a photo, and got a refund [in ten minutes|before I'd finished breakfast]. [Lovely
  people.|]
+ Much less food waste at home since we started.
! Fresh and always on time
! Great quality, happy family
# Quail Kitchen/positive/convenience
- No more "what's for dinner". [It has saved our evenings|Best gift to myself as a single parent]. [Thank you.|]
- After [my operation|the baby came] this was a [godsend|lifesaver]. Good food with no thinking. [Bless you.|]
- Flexible, [easy to pause|simple app], and [cheaper than takeaway|no shopping]. [Can't fault it.|Love the whole
  idea.]
+ We eat together again, at a table, with vegetables.
! A lifesaver for busy weeks
! So convenient, love it
# Quail Kitchen/neutral/plan_question
- How do I [skip the week of the {nth}|change from two to four people|switch to vegetarian]?
- Until which day can I change the menu for [next week|the following box]?
- Can I move delivery from [Monday to Wednesday|morning to evening]?
- Can you deliver to [my office|a parcel locker|a different address] in {city} for one week?
- Is there a plan with [two|five] meals for one person?
+ My account is under the order {order}.
+ We'll be away until the {nth}.
! How do I skip a week?
! Deliver to {city}?
# Quail Kitchen/neutral/allergen_question
- Which of next week's meals are free of [nuts|gluten|sesame|dairy]?
- Is the [stock|curry paste] in the [lentil|noodle] recipe vegan?
- Do the boxes list [calories|carbs] per portion? I'm keeping track for [my dietitian|diabetes].
- Is the packaging [recyclable|to be returned], and what do I do with the ice packs?
- How long does the [fish|mince] keep, and can it be frozen?
+ It's for a guest on {weekday}.
! Any nut-free meals?
! Can I freeze the fish?
# Plover Mobile/negative/signal
- No signal [at home|in the whole of {city} centre|on the train] since [{weekday}|{date}]. [One bar if I lean out
  of the window.|]
- "5G" in the corner, [nothing loads|0.{2-9} Mbps in reality]. [My old network was fine here.|Smoke and mirrors.]
- Calls drop [after two minutes|every time I walk into the kitchen]. I missed [the hospital's call|a job offer].
  [Unforgivable.|]
- Data just [stops|dies] every [evening|lunchtime]. You've sold more than your network can carry. [Pathetic.|]
+ SIM in another phone: same. Another SIM in my phone: works. It's you.
+ The coverage map shows solid green at my address. It's fiction.
+ I'm paying {monthly} a month for aeroplane mode.
! No signal. [Rubbish network.|Day {3-9}.]
! Calls drop all the time
# Plover Mobile/negative/billing
- My bill went from {monthly} to {price} and [nobody can tell me why|the app just says "other charges"]. [Thieves.|]
- Charged for [a premium number|a "sports pack"] I never [called|ordered]. [{2-4} months in a row.|Refund refused.]
- Left Plover in {month}, still being billed in October. [The final bill was not final.|How is this legal?]
- The "price for life" lasted {9-14} months. [Lying marketing.|Next time I'll ask whose life.]
+ Each agent promises a callback. Nobody has called back. Ever.
+ I've asked for an itemised bill {3-6} times.
+ Now there's a letter from a debt collector. For {fee}!
! Overcharged again. [Crooks.|]
! Bill is wrong every month
# Plover Mobile/negative/roaming
- {price} for [twenty minutes of maps|one phone call] in {city}. The text about roaming costs came the day after.
  [Robbery.|]
- "Roaming included", it says. [Not in the country I landed in, I found out.|No data for the whole trip.] [Holiday
  ruined.|]
- Landed in {city}, no network, [no taxi, no hotel address|couldn't reach my kids]. [Terrible feeling.|Useless.]
+ I had the add-on active. Screenshot attached.
+ Resetting the network settings just deleted my wifi passwords, thank you very much.
! Roaming doesn't work. Stranded.
! Roaming bill is insane
# Plover Mobile/negative/switching
- {8-24} days without my number. The port is "in progress". [I'm losing customers.|My bank codes go nowhere.]
- The eSIM code was [invalid|already used], the new one [takes five working days|never came]. [It's an email!|]
- You ported the wrong number. [My mother's.|A stranger answers my phone.] [Incredible incompetence.|I have no words.]
+ Old network says it's you, you say it's them.
+ {3-6} hours in your chat, spread over a week. Zero progress.
! Still no number. [Hopeless.|]
! eSIM never worked
# Plover Mobile/positive/price
- {monthly} for unlimited data, and [it really is unlimited|no tricks]. [Saved {price} a year.|So glad I switched.]
- No contract, no nonsense, and [the bill is the same every month|they gave me {5-20} GB for free]. [Love that.|]
- Family of five on Plover, paying [half|a third] of what we used to. [Fantastic value.|Delighted.]
+ Hotspot is included too, which makes working on the train great.
! Great value, [very happy|no complaints]
! Cheap and it works. Brilliant.
# Plover Mobile/positive/coverage
- Signal [in the middle of nowhere|at our cabin|in the tube], where my old network had none. [Amazing.|]
- {200-700} Mbps [on the beach|from my kitchen], faster than my home line. [Wow.|Superb network.]
- Roaming in {city} worked [the second I landed|everywhere, at no extra cost]. [Perfect trip.|Impressive.]
+ Calls are crystal clear, my mum says I sound like I'm in the room.
! Excellent signal everywhere
! Super fast 5G, love it
# Plover Mobile/positive/switching
- Switched in [ten minutes|a lunch break] and kept my number. [Smoothest thing ever.|Couldn't believe how easy.]
- eSIM worked at once, [{firstname} in chat held my hand through it|no shop, no plastic]. [Excellent.|Thank you!]
- Was dreading the move from my old provider. [It was painless and the people are lovely.|You made it a pleasure.]
+ I've already talked three friends into it.
! Switched in minutes, great
! Painless switch, [lovely|friendly] support
# Plover Mobile/neutral/esim_question
- How do I move my eSIM from a {handset} to a new phone?
- Can I have [two eSIMs|an eSIM and a plastic SIM] on one plan?
- My number is with another network. Which [code|document] do you need to move it?
- On which day [of the month |]does the data reset?
- Does wifi calling work on a {handset}, and how do I turn it on?
+ The phone is unlocked.
+ I joined in {month}.
! How to move an eSIM?
! Is wifi calling supported?
# Plover Mobile/neutral/plan_question
- What's the difference between the {10-20} GB and the unlimited plan[, apart from the data|]?
- Is roaming in [Switzerland|Turkey|Norway|Brazil] included, or do I need the add-on?
- Can I pause my plan for [two months|the winter]?
- How do I [add a child's number|change the billing date|pay by bank transfer]?
- Do you offer a data-only plan for a tablet?
+ I use about {4-18} GB a month.
+ I'll be in {city} for {2-5} weeks.
! Roaming in Norway included?
! Can I change my billing date?
"""
