"""One message of about 6,000 characters: more than a model reads at once, good at the beginning and bad at the end."""

_STORY = """
I have owned the Owl Doorbell for eleven months now, and since your survey only leaves room for 200 characters I am
writing it all down here instead. Please read it to the end, somebody in your company should.

Let me begin with what was good, because it was good. I ordered on a Monday evening and the parcel was here on
Wednesday before breakfast. The box is small, there was hardly any plastic in it, the screws were the right ones and
there was even a little drill bit for the render on our wall. My husband, who is not a patient man, had it up in
twenty-five minutes. The picture on the first day was lovely. I could read the name on the postman's jacket. We showed
it to my parents on the phone that same night, and my father wanted one as well. For the first three months I told
everybody about it: the lady in the bakery, the people at my choir, my sister in Halifax. Two of them bought one
because of me. I mention this so that you understand that I am not one of those people who complain about everything.

In January the first thing happened. The bell rang, I looked at my phone and there was nobody there. Not "nobody at
the door any more", really nobody, and nothing in the history either. It did that four times in one week, always
between two and three in the night. We have a baby. I switched the chime off at night, which one can do, and thought
no more of it.

In February the delays began. At first ten seconds, then half a minute. One Saturday the courier rang, waited, filled
in his card, got into his van and drove off, and then my phone told me that someone was at the door. I ran after that
van in my socks. I wrote to your support the same day. The answer came six days later and said that my wifi was too
weak. So we bought a repeater for the hall, and the app now shows "excellent", all the bars there are. The delay
stayed. I wrote again. The answer was a list of ten things to try, of which I had already described seven in my first
message. I tried the other three. One of them was to take the doorbell off the wall and put it back.

In March came the letter about the new plans. Until then we had seven days of recordings. That is printed on the side
of the box, I have it here: "7 days of history, no monthly fee". From the first of April it was one hour. One hour! If
someone rings at ten and I look at eleven, it is gone, unless I pay. I called. A young man told me that the box
describes "the service at the time of printing". I asked him whether he would accept it if his car lost two of its
wheels because the brochure had been printed in the past. He laughed, I will give him that, and then he told me there
was nothing he could do.

I paid, because of the baby and because my mother-in-law has a key and forgets to say when she is coming. So now I had
a doorbell that was late and a subscription on top. In May the lens fogged up. It had rained, I thought it would pass.
It has not passed. In the morning it looks like a bathroom mirror, around noon it clears in the middle, and at night,
when it matters, you see two bright circles and no face at all. I sent photographs. I was asked to send them again as
the attachment was "not processed". I sent them again. Then I was asked for the receipt, which I had sent with the
first message. Then I was told that condensation is "a natural phenomenon", and that the warranty does not cover
natural phenomena. I have now looked this up and I do not believe that this is lawful where I live.

In July my bicycle was stolen from the front step. You could not make this up. The Owl recorded it, all of eleven
seconds, and on those eleven seconds there is a white cloud, and a sleeve. The officer was very kind about it. She
asked what make the camera was, and when I told her she said, "Ah." That was the whole comment. I have thought about
that "Ah" rather often since.

In September, while we waited for the specialist, the battery began to go. Until then one charge had lasted ten weeks,
which I always mentioned when people asked. Now it is nine days. I have a ladder in the hall permanently because
somebody has to take the thing down, and that somebody is me. When I asked about it in the chat, the robot told me
that batteries like to be warm. So do I. It also asked whether "this answer was helpful" and, when I pressed no, it
thanked me for my positive feedback.

In August I asked for my money back. I asked politely. I was offered a voucher for 15 % off my next Larkfield product.
I declined. I was offered 20 %. I said that I did not want a next product, I wanted this one to do what it says on its
box, or else the price of it, and the subscription for the months in which I had paid to watch fog. I was told that my
case would be passed on to a specialist. It has been passed on to a specialist since the nineteenth of August. I have
asked for his name and was told that for reasons of privacy this could not be shared. I am on camera every day, but
the specialist has privacy.

I do not want to be unfair. Two people at your company have been really decent: Tess, who called me back after her
shift had ended, and the man in the repair workshop who admitted that the seal on the early units is bad and that
"everyone here knows it". If everyone there knows it, then why do I have to prove it with photographs, three times?

What I would like is simple. Please replace the doorbell with one that does not let in water. Please give me back the
seven days, or the money I have paid for them since April. And please stop sending me the survey about how likely I am
to recommend you to my friends. I did recommend you to my friends. I have had to apologise to two of them.

I am disappointed and I am tired, and I would rather have spent this evening on something else. It was a good product
for three months. Since then it has been a bad one, and the way you have treated me has been worse than the product.

Joanne Fenwick
Order LF-402217
"""

LONG_MESSAGE = "\n\n".join(" ".join(paragraph.split()) for paragraph in _STORY.strip().split("\n\n"))
