"""How English-speaking customers begin, go on and end, whatever the product. The notation is that of `grammar.py`.

The first part of a header is the kind of product (`device`, `service`) or `any`; the last is the place in the
  message.
"""

TEXT = """
# any/negative/opening
- [I'm really disappointed.|I am so disappointed.|Very disappointed.]
- [Not happy.|Not good enough.|Not impressed at all.]
- [I don't usually write reviews, but this needs saying.|First review I've ever written. Sadly.]
- I wanted to like this, I really did.
- [Long-time customer here, and I'm done.|{3-9} years a Larkfield customer. Not for much longer.]
- [Honestly fed up.|Properly fed up now.|At the end of my patience.]
- [What is going on?|What on earth is going on with you lot?]
- [Where do I even start.|Right, where to begin.]
- [Can someone please explain this to me?|Is this a joke?]
- [Worst experience in a long time.|This has been a miserable {week_or_month}.]
- [Second time I'm reporting this.|Third message about this. Nobody answers.]
- [I regret buying into Larkfield.|Big regret.]
- [Came back to change my rating from {4-5} to 1.|Down from five stars to one.]
- It was good once. It isn't any more.
- [Sorry, but no.|Nope.|Just no.]
- My {relative} warned me. Should have listened.
# any/negative/more
- Chat support [told me to reinstall, which I'd already done twice|pasted the same three lines and closed the chat].
- I've been waiting for an answer to {ticket} since {date}.
- Spent {25-95} minutes on hold [to be cut off|listening to the same flute music]. [Twice.|]
- The "help" page sends me in circles.
- [{firstname} in support was polite but clueless.|The agent promised a call within 24 hours. That was {weekday}.]
- This used to work. You broke it and you don't care.
- I'm not the only one, [the forum is full of it|look at the other reviews].
- Every reply comes from somebody new who hasn't read the previous one.
- [My patience is gone.|I've wasted two evenings on this.|I have better things to do.]
- And the worst part is that nobody apologises.
- [Your competitors manage this without trouble.|My {relative} has another brand and has none of this.]
- It's been like this since {month}.
- I was told "it's a known issue". Known since when? Fixed when?
- [You took my money quickly enough.|Taking my money worked first time, funnily.]
- I keep hoping the next update helps. It never does.
- If I treated my customers like this I'd be out of business.
- The whole thing leaves a very bad taste.
- [Nobody takes responsibility.|Everybody is "sorry to hear that" and does nothing.]
# device/negative/more
- Shop says send it to you, you say take it to the shop.
- For {price} I expected something that works.
- I'm on my second unit, [same fault|even worse].
- Already {2-8} days past the return window, how convenient.
- The replacement took {2-6} weeks and came with somebody else's scratches.
- It's going back in the box.
# service/negative/more
- I've already signed up with somebody else.
- I'm moving everything elsewhere at the end of the month.
- I pay for this every month, on time. I expect the same in return.
- Loyal customers get nothing, new ones get discounts.
# any/negative/closing
- [I want a refund.|Refund please.|Money back, now.]
- [Sort it out.|Please fix this.|Fix it already!]
- [Avoid.|Stay away.|Save your money.|Don't bother.]
- [Never again.|Last time I buy from Larkfield.]
- [Shame, really.|Such a waste.|What a waste of money.]
- [Zero stars if I could.|One star is generous.|1/5.|1 out of 10.]
- [I expect a reply by {weekday}.|I expect an answer, not a template.]
- [Do better.|Embarrassing.|Unacceptable.|Pathetic.]
- [You've lost a customer.|I won't be back.|Goodbye.]
- [Ruined my {weekday}.|Hours of my life I won't get back.]
- [I'd send it back if the returns page loaded.|How do I complain to someone who can actually do something?]
- [Absolutely awful.|Simply terrible.|Just bad.]
- [Thanks for nothing.|Slow clap.]
- [I would not recommend this to anyone.|Wouldn't wish it on my worst enemy.]
# any/positive/opening
- [Just wanted to say thank you.|A quick thank you.|Had to come here and say this.]
- [I never write reviews, but you've earned one.|First five star review from me.]
- [Wow.|Wow, just wow.|OK, I'm impressed.]
- [So happy with this.|Really pleased.|Delighted, to be honest.]
- [Credit where it's due.|You hear enough complaints, so here's the opposite.]
- [I was sceptical.|I didn't expect much.] [How wrong I was!|Happy to be proved wrong.]
- [Three months in:|Half a year in:|After {2-9} weeks:] still love it.
- My {relative} recommended this and was right.
- [Best decision this year.|Best thing I've bought in ages.]
- [Everyone in this house agrees for once.|Even my grumpy {relative} approves.]
- [Keep doing what you're doing.|Whoever designed this deserves a raise.]
# any/positive/more
- [{firstname} from support was wonderful.|Had one question, {firstname} answered in minutes. Lovely.]
- [I've told all my friends.|Already recommended it to half my office.|My {relative} wants it too now.]
- I've been a customer for {2-8} years and it just gets better.
- [It just works.|It does what it says, and does it well.]
- [You can tell that somebody cared about the details.|Little details everywhere that make me smile.]
- The last update made a good thing even better.
- [Very fair price for what you get.|I'd pay more for it, don't tell anyone.]
- I had a problem at the start and they fixed it the same day, no fuss.
- I wish everything I own were this well made.
- [It makes every day a bit nicer.|I smile every time I use it.]
- [Been through a few brands. This one stays.|Nothing else I tried comes close.]
- It has taken a worry off my mind.
- [Simple, honest, friendly.|No fuss, no surprises.] That's how it should be.
- I keep waiting for the catch. There isn't one.
- My {relative} laughed at me for reading the reviews for a week. Who's laughing now?
- [I look forward to using it.|It's become part of my day.] [Lovely.|]
- A big thank you to {firstname}, who called me back on a Saturday.
- Reading the complaints here I wonder if we have the same product. Mine is wonderful.
# device/positive/more
- [Not cheap, but worth it.|Bought a second one for my {relative}.]
- Well packed, well made, arrived {1-3} days early.
- Sturdy, good-looking, and the manual is written by humans.
- It's been dropped, rained on and still works like new.
- Ordered on {date}, here two days later. [Impressive.|Great.]
# service/positive/more
- I've cancelled the other one. No need for it any more.
- I never have to think about it. That's the best compliment.
- They even remembered my {relative}'s birthday. Small thing, big smile.
# any/positive/closing
- [Thank you!|Thanks so much!|Thank you, Larkfield.|Cheers to the whole team.]
- [Highly recommended.|Recommended.|Would recommend to anyone.]
- [Five stars.|5/5.|10/10.|Ten out of ten.|Would do it again any time.]
- [Love it.|Love it!|Love love love.]
- [Keep up the good work.|Keep it up!|Great job, everyone.]
- [Very happy customer.|One happy customer here.|Customer for life.]
- [Perfect.|Brilliant.|Fantastic.|Superb.|Excellent stuff.]
- [Worth every penny.|Money well spent.]
- [You've made an old {man_or_woman} happy.|Made my week.]
- Can't wait to see what you do next.
# any/neutral/opening
- [Quick question.|Just a question.|Small question.|Question for the team.]
- [Sorry if this has been asked before.|I searched but didn't find this.]
- Looking into this for my {relative}.
- [New here.|New customer.|I've just signed up.]
- [I'm setting things up this weekend.|Preparing for a move to {city}.]
# device/neutral/opening
- [I'm thinking of ordering and have one question.|Before I buy:]
# any/neutral/more
- [It's not urgent.|No hurry.]
- [The FAQ doesn't cover it.|I looked through the help pages.]
- [My {relative} is asking too.|I'm asking for my {relative}.]
- [A link to the right page would be enough.|A yes or no is enough.]
- I saw two different answers, one from {month} and one from last year.
- [I can send a screenshot if needed.|Tell me if you need more details.]
# device/neutral/more
- [We have one from {year} and one from this year.|I bought mine in {month}.]
# service/neutral/more
- [I joined in {month}.|I've been a customer since {year}.]
# any/neutral/closing
- [Thanks.|Thanks in advance.|Thank you.|Many thanks.|Cheers.|ta]
- [Please let me know.|Please advise.|Let me know by {weekday} if possible.]
- [Any pointers?|Does anyone know?|Anyone?]
# any/any/email_greeting
- [Hi,|Hello,|Hi there,|Hello there,|Good morning,|Good evening,|Hey,]
- [Dear Larkfield,|Dear Larkfield team,|Dear customer service,|Dear Sir or Madam,|To whom it may concern,|Dear all,]
- [Hi Larkfield,|Hello Larkfield support,|Hi team,]
# any/any/email_signoff
- [Regards,|Kind regards,|Best regards,|Best wishes,|Yours sincerely,|With kind regards,|Best,|Thanks,|Thank
  you,]\\n{name}
- {name}
- [Regards|Best|Cheers|Thanks] {signer}
- {name}\\n{city}
- [Kind regards,|Regards,]\\n{name}\\nOrder {order}
- [Sent from my {handset}|Sent from my phone]
# any/negative/email_subject
- I am writing about order {order}, placed on {date}.
- This is a formal complaint.
- I contacted you on {date} (reference {ticket}) and have heard nothing since.
- Please pass this to a manager.
- I'm writing for the {second_third} time in {2-4} weeks.
- I was hoping not to have to write this email.
- My name is {name} and I've been with you since {year}.
# any/positive/email_subject
- I don't need anything, I only want to say something nice for a change.
- Please pass this on to the people who made it.
- I wrote to you on {date} with a problem. It's solved, and how.
- My name is {name} and I'm writing from {city}.
# any/neutral/email_subject
- I have a question about order {order}.
- I couldn't find this on your site, so I'm writing.
- My name is {name}, I became a customer in {month}.
- I'd like some information before I decide.
# any/negative/forum_opening
- [Anyone else seeing this?|Is it just me?|Posting here because support is no help.|Mods, please don't merge this
  again.]
- [Long post, sorry.|Rant ahead.|Update to my post from {weekday}.]
# device/negative/forum_opening
- Setup: {handset}, [latest firmware|version {version}], [{city}|nothing exotic].
# any/positive/forum_opening
- [Thought I'd balance things out here.|Not a problem post for once.|Lurker here, first post.]
- [Long-term report after {3-14} months.|My review after {3-9} weeks.|Sharing my experience for those on the fence.]
# any/neutral/forum_opening
- [Hi all.|Hello everyone.|Hi folks.|Evening all.]
- [Couldn't find a thread on this.|Mods, move it if it's the wrong section.]
# any/negative/forum_ending
- EDIT: still [broken|the same] after [a week|the latest update]. [Unbelievable.|]
- EDIT {2-3}: support closed my ticket. [Without a word.|Of course they did.]
- [Will report back. Not holding my breath.|Off to look at other brands.]
# any/positive/forum_ending
- EDIT: a few of you asked, yes, I'd choose it again[ without thinking|].
- [Happy to answer questions.|Ask me anything.] Great product.
# any/neutral/forum_ending
- EDIT: [found one of the two answers in the manual, page {8-60}|typo].
- [Will post the answer here if I hear back.|Bumping this once.]
# any/negative/tag
- [#fail|#neveragain|#customerservice|#ripoff|#disappointed|#larkfield|#larkfieldfail]
# any/positive/tag
- [#happy|#love|#larkfield|#thankyou|#recommended|#goodstuff]
# any/neutral/tag
- [#larkfield|#question|#help]
# any/negative/emoji
- [😡|😤|🤬|😠|👎|🙄|😩|😭|🤦|💔|😒|👎👎]
# any/positive/emoji
- [😍|❤️|🙏|👍|🎉|😊|🥰|💯|🙌|✨|😀|👏]
# any/neutral/emoji
- [🤔|🙂|👀|🤷]
# any/negative/chat_start
- [hi|hello|hello??|hey|anyone there?|hello, is this a human?|hi, problem]
# any/positive/chat_start
- [hi|hello|hey|hi team|hi, no problem this time]
# any/neutral/chat_start
- [hi|hello|hey|hi, quick one|hello, question|good morning]
# any/mixed/bridge
- [That said,|On the other hand,|But,|Having said that,|Still,|However,]
# any/mixed/opening
- [Mixed feelings.|Bit of both.|Three stars from me.|3/5.|Good and bad.|Half happy.]
"""
