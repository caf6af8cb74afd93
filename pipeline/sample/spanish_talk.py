"""How Spanish-speaking customers begin, go on and end, whatever the product.

The notation is that of `grammar.py`.
"""

TEXT = """
# any/negative/opening
- [Así no.|Muy decepcionado.|Estoy indignada.|Harto.]
- [Primera reseña que escribo, y es para quejarme.|No suelo quejarme, pero esto clama al cielo.]
- [Cliente desde {year} y así me tratan.|De mal en peor.]
- ¿Hay alguien ahí?
- [Vaya tela.|Increíble pero cierto.|No tiene nombre.]
# any/negative/more
- En el chat [me dijeron que lo reinicie|copian y pegan la misma respuesta]. [Ya lo hice tres veces.|]
- La incidencia {ticket} sigue abierta desde el {date}.
- {25-80} minutos al teléfono para nada.
- Nadie se hace responsable.
- [Cobrar sí que saben.|Mi {relative} tiene otra marca y cero problemas.]
- Desde {month} así, y nadie hace nada.
- Mi {relative} ya me lo había advertido.
- [He perdido dos tardes con esto.|Se me acabó la paciencia.|Ya no sé qué más hacer.]
- Te piden paciencia y te cierran el caso.
# device/negative/more
- Por {price} esperaba algo que funcionara.
- Es el segundo que me mandan, [igual de malo|con el mismo fallo].
- Se estropeó justo al pasar el plazo de devolución. [Qué casualidad.|]
# service/negative/more
- A los nuevos, descuentos. A los de siempre, esto.
- A fin de mes me cambio.
# any/negative/closing
- [Quiero que me devuelvan el dinero.|Exijo una solución.|Arréglenlo ya.]
- [No lo recomiendo.|Ni se les ocurra.|Huyan.]
- [Nunca más.|Hasta nunca.|Una estrella porque no hay cero.]
- [Penoso.|Lamentable.|Fatal.]
- Gracias por nada.
# any/positive/opening
- [Solo quería dar las gracias.|Estoy feliz, de verdad.|Gran sorpresa.]
- [No esperaba tanto.|Tenía mis dudas.] [Me equivoqué.|Y qué bien.]
- [Después de {2-9} meses de uso:|Tras unas semanas:] muy contenta.
# any/positive/more
- {firstname}, de atención al cliente, [un sol|encantadora].
- Ya se lo recomendé a [media oficina|mi {relative}].
- [Se nota que está hecho con cariño.|Cuida hasta el último detalle.]
- [Vale lo que cuesta.|Buenísima relación calidad-precio.]
- Vengo de otra marca y no hay color.
- Tuve un problemilla al principio y lo resolvieron el mismo día.
- [No le encuentro pegas.|Cada día me gusta más.|Nos ha facilitado la vida.]
# device/positive/more
- Bien empaquetado y llegó antes de tiempo.
- Se cayó dos veces y sigue como nuevo.
# service/positive/more
- Todo claro, sin sorpresas ni letra pequeña.
- Ya di de baja el otro.
# any/positive/closing
- [Recomendadísimo.|Lo recomiendo.|Repetiría sin dudarlo.]
- [¡Gracias!|¡Mil gracias!|¡Sigan así!|¡Enhorabuena!]
- [Cinco estrellas.|Un 10.|Perfecto.]
# any/neutral/opening
- [Una consulta.|Una pregunta rápida.|Buenas.]
- [Es por curiosidad.|Soy nueva por aquí.]
# any/neutral/more
- [No corre prisa.|Cuando puedan.]
- En las preguntas frecuentes no lo vi.
- Es para mi {relative}.
- Con un sí o un no me basta.
- Vi dos respuestas distintas en internet.
- Puedo mandar una captura si hace falta.
# any/neutral/closing
- [Gracias.|Muchas gracias.|Gracias de antemano.|Saludos.]
- [¿Alguien lo sabe?|Quedo a la espera.]
# any/any/email_greeting
- [Hola,|Buenos días:|Buenas tardes,|Estimados señores:|Hola, equipo de Larkfield:|A quien corresponda:]
# any/any/email_signoff
- {name}
- [Un saludo,|Saludos cordiales,|Atentamente,|Gracias,]\\n{name}
- [Saludos,|Un saludo,]\\n{name}\\nPedido {order}
# any/negative/email_subject
- Escribo por el pedido {order}, del {date}.
- Ya les escribí el {date} (caso {ticket}) y sigo sin respuesta.
- Esto es una reclamación formal.
# any/positive/email_subject
- No necesito nada, solo quería felicitarlos.
- Les escribí el {date} por un problema y quedó resuelto.
# any/neutral/email_subject
- Tengo una duda sobre el pedido {order}.
- No encontré esto en su página y por eso escribo.
# any/negative/forum_opening
- [¿A alguien más le pasa?|¿Soy la única?|Aviso a navegantes.]
- Uso un {handset}, versión {version}.
# any/positive/forum_opening
- [Mi experiencia tras {3-10} meses.|Para equilibrar un poco el foro.]
# any/neutral/forum_opening
- [Hola a todos.|Buenas, gente.|Hola, foro.]
# any/negative/forum_ending
- EDITO: [todo sigue igual|me cerraron el caso sin más].
# any/positive/forum_ending
- [Cualquier duda, pregunten.|Un acierto total.]
# any/neutral/forum_ending
- [Subo el tema.|Si me responden, lo cuento.]
# any/negative/tag
- [#decepción|#estafa|#nuncamás|#atencionalcliente]
# any/positive/tag
- [#recomendado|#feliz|#meencanta]
# any/neutral/tag
- [#ayuda|#duda]
# any/negative/emoji
- [😡|😤|👎|🙄|🤦‍♀️|😭]
# any/positive/emoji
- [😍|❤️|👏|🙌|😊|💯]
# any/neutral/emoji
- [🤔|🙏|👀]
# any/negative/chat_start
- [hola|buenas|hay alguien?|hola??]
# any/positive/chat_start
- [hola|buenas]
# any/neutral/chat_start
- [hola|buenas|buenos días|hola, una duda]
# any/mixed/bridge
- [Eso sí,|Pero bueno,|Por otro lado,|Lo malo:]
# any/mixed/opening
- [Ni fu ni fa.|Tiene cosas buenas y malas.|Regular.|Tres estrellas.]
"""
