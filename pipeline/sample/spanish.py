"""What Spanish-speaking customers say about the products, in Spain and in Latin America. The notation is that of
`grammar.py`."""

TEXT = """
# Heron Router/negative/dropouts
- El Heron [se cae tres o cuatro veces al día|pierde la conexión cada noche a las {8-11}] y hay que
  [desenchufarlo|reiniciarlo] para que vuelva.
- Se corta en medio de cada videollamada. [Mi jefe ya piensa que lo hago a propósito.|Estoy harta.|Ya no puedo más.]
+ El módem está bien, lo revisó el técnico. Es el router.
+ Ya le cambié el canal, lo reseteé, lo moví de sitio. Nada.
! Se cae todo el rato. [Malísimo.|Pésimo.]
! No lo compren
# Heron Router/negative/firmware_brick
- La actualización 7.2.0 me dejó el router [muerto|como un ladrillo]. [Luz roja y nada más.|Sin internet desde las
  {2-7} de la mañana.] ¡Indignante!
- Me levanto y [no hay internet|el Heron está en rojo]: lo actualizaron de noche sin avisar. [Estoy furioso.|Qué
  desastre.]
- Con la 7.2.0 el router [se reinicia sin parar|no pasa de la luz roja] y en atención al cliente [no contesta
  nadie|me colgaron dos veces].
- [Mi tienda|La consulta] sin datáfono toda la mañana por culpa de su actualización. [¿Quién me paga las
  pérdidas?|Un horror.]
- Intenté volver a la 7.1.6 {2-5} veces. [Imposible.|Ni caso.] Me han roto un router que iba perfecto.
+ Las instrucciones están en la web. ¿Y cómo entro si no tengo internet?
+ La teleasistencia de mi madre depende de este router. Es gravísimo.
! Router muerto por la 7.2.0. [Vergonzoso.|Nefasto.]
! Luz roja y nadie responde 😡
# Heron Router/negative/speed
- Por cable {400-900}, por wifi {15-60}. [¿Me explican?|Qué timo.|Así no se puede trabajar.]
- De noche va [a paso de tortuga|fatal] y cualquier serie [se queda cargando|salta cada dos minutos].
- El de mi vecino costó {30-60} euros y [le da mil vueltas|llega más lejos]. [Me siento estafada.|Vaya compra.]
- Pago {500-1000} megas y con este router me llegan {20-70}. [Una vergüenza.|Menuda estafa.|Qué decepción.]
- En el dormitorio [no llega nada|una rayita y gracias], y eso que prometían cobertura en toda la casa.
# Heron Router/negative/setup
- Sin cuenta y sin móvil no puedes ni cambiar la clave. [Absurdo.|Quién lo pensó, por favor.]
- El segundo nodo [nunca aparece|parpadea y se va]. Llevo {2-5} tardes con esto. [Me rindo.|Una tortura.]
- [Dos|Tres] horas para instalarlo y la app [se queda en el {80-95} %|dice "algo salió mal" y vuelta a empezar].
# Heron Router/positive/firmware_brick
- {firstname}, de soporte, me ayudó a volver a la 7.1.6 con una paciencia infinita. ¡Mil gracias!
# Heron Router/positive/coverage
- [Por fin|Al fin] hay wifi en [el patio|la terraza|el cuarto de los niños]. [Encantada.|Una maravilla.]
- {3-12} meses sin un solo corte. [El mejor router que he tenido.|Va como un tiro.]
- La casa es vieja, de muros gruesos, y con dos nodos [llega a todas partes|vuela]. Muy contento.
+ Tengo {20-50} aparatos conectados y ni se inmuta.
! Cobertura excelente
! Rápido y estable, feliz
# Heron Router/positive/easy_setup
- Lo saqué de la caja y a los {6-12} minutos [estaba navegando|funcionaba todo]. [Facilísimo.|Qué gusto.]
- Puse el mismo nombre de red y [se conectó todo solo|ni se enteraron en casa]. ¡Genial!
- El control parental [funciona de verdad|me ha devuelto las cenas en familia]. [Encantados.|Gracias.]
- Mi padre, {68-79} años, lo instaló solo en [diez minutos|un ratito]. ¡Bravo por la app!
# Heron Router/neutral/firmware_brick
- ¿Siguen enviando la 7.2.0 o ya la pararon? Yo tengo la 7.1.6.
- ¿Dónde se desactivan las actualizaciones automáticas?
# Heron Router/neutral/settings_question
- ¿Cómo se [abre un puerto|reserva una IP|apaga la luz por la noche|pone en modo puente]?
- ¿Es compatible con [la fibra de mi operador|los satélites antiguos]?
+ Tengo el firmware 7.1.{1-6}.
! ¿Tiene IPv6?
# Heron Router/neutral/buying_question
- ¿Basta con uno para un piso de {70-140} m² o hace falta el pack de dos?
- Hice el pedido {order} el {date}. ¿Cuándo llega?
# Owl Doorbell/negative/missed_alerts
- El aviso me llega cuando [ya se han ido|el repartidor va por la otra calle]. [¿De qué sirve?|No vale para nada.]
- [Tres|Cuatro] paquetes perdidos este mes porque el timbre no suena. [Harto.|Un desastre.]
+ Está a {2-5} metros del router, con toda la señal.
! Avisa tarde, inútil
# Owl Doorbell/negative/subscription
- En la caja dice "sin cuotas". Ahora [todo es de pago|solo guarda una hora]. [Mentirosos.|Eso es publicidad
  engañosa.]
- Cancelé el plan y me [cobraron otro año|siguen cobrando {fee}]. [Nadie responde.|Una vergüenza.]
- Ahora hay que pagar {fee} al mes para ver [mis propias grabaciones|lo que pasa en mi puerta]. [Qué cara
  dura.|Vaya robo.]
! Todo es de pago. Fatal.
# Owl Doorbell/negative/night_video
- Me robaron [un paquete|la bici] y el vídeo es [niebla|un borrón]. La policía [ni lo quiso|se rio].
- Salta con [cada hoja|cada coche|el gato del vecino] y con las personas no. [Absurdo.|Para tirarlo.]
- Desde {month} la lente [se empaña|tiene agua por dentro]. [Muy mala calidad.|Adiós garantía, dicen.]
- De noche [no se ve nada|es todo una mancha blanca]. Me [rayaron el coche|robaron la bici] y no se distingue ni la
  cara.
+ {20-60} alertas por noche por culpa de las polillas.
# Owl Doorbell/positive/peace_of_mind
- Vivo sola y [desde que lo tengo duermo tranquila|saber quién llama me da mucha paz]. [Gracias.|Lo recomiendo.]
- Estaba en {city} y [hablé con el mensajero|abrí a mi hermana] como si estuviera en casa. [Genial.|Fantástico.]
+ Mis vecinos ya se han comprado uno.
# Owl Doorbell/positive/picture
- Se leen hasta [las matrículas|las etiquetas de los paquetes]. [Una imagen preciosa.|Impresionada.]
- Distingue personas de gatos a la perfección. [Ni una falsa alarma en dos meses.|Bravo.]
- La imagen es [nitidísima|buenísima], hasta de noche. [Muy contentos.|Un diez.]
- Se instala en un cuarto de hora y [los avisos llegan al instante|la batería dura meses]. ¡Perfecto!
! Se ve de maravilla
# Owl Doorbell/neutral/storage_question
- ¿Cuántos días guarda los vídeos? ¿Se pueden descargar?
- ¿Cómo comparto el acceso con mi [marido|madre|pareja]?
+ La app es la {version}.
! ¿Graba en local?
# Owl Doorbell/neutral/wiring_question
- ¿Qué transformador necesito, de 8 o de 16 voltios?
- ¿Los tornillos sirven para [ladrillo|azulejo|madera]?
- ¿Aguanta temperaturas de {15-25} grados bajo cero?
- ¿Se puede instalar sin [taladrar|cables]? Vivo de alquiler.
- ¿Funciona con mi timbre [antiguo|de 8 voltios]?
# Puffin Vacuum/negative/stuck
- Se atasca todos los días [debajo del sofá|con el mismo cable|en la alfombra]. [Tardo menos barriendo yo.|Un chiste.]
- Se cayó por la escalera [el {weekday}|anoche]. ¿Y los sensores? [Rota la rueda.|Adiós aspiradora.]
- Pasó por encima de [una gracia del perro|la comida del gato] y la repartió por [toda la sala|tres cuartos].
  Asqueroso.
+ Las zonas prohibidas se las salta.
! Se atasca siempre
# Puffin Vacuum/negative/noise
- El modo silencioso [es mentira|despierta a los muertos]. [Imposible ver la tele.|El bebé llorando, claro.]
- A los seis meses empezó a [chirriar|sonar como una licuadora]. [Y la garantía, bien gracias.|Mala pinta.]
- Hace más ruido que [un tractor|una lavadora centrifugando] y [deja la mitad sin limpiar|los vecinos ya se quejaron].
! Ruidosa y tonta
# Puffin Vacuum/negative/dock
- No encuentra la base [ni poniéndosela delante|nunca]. La encuentro [muerta en el pasillo|descargada cada tarde].
  [Qué inútil.|]
- Las bolsas valen {fee} y [se atasca igual|no vacía ni la mitad]. [Un sacadineros.|]
- A los {3-9} meses la batería [no dura ni veinte minutos|murió]. [Mala calidad.|Qué decepción tan grande.]
+ Llevo {2-5} semanas esperando la garantía.
# Puffin Vacuum/positive/pet_hair
- Con dos [perros|gatos] en casa, esto es [una bendición|lo mejor que he comprado]. [¡Ni un pelo!|Suelo impecable.]
- La pongo al salir y [vuelvo con la casa limpia|me olvido de barrer]. [Un gustazo.|La amo.]
- La llamamos [Paquita|Don Pelusa] y ya es de la familia. [Feliz.|Estamos encantados.]
! Limpia genial
! Adiós pelos, contentísima
# Puffin Vacuum/positive/mapping
- Esquiva [cables, juguetes y calcetines|las patas de las sillas] como si tuviera ojos. [Fascinada.|Increíble.]
- Limpia por cuartos y horarios y [no falla|lo hace de diez]. [Vivo más tranquila.|Inversión redonda.]
- Hizo el mapa en diez minutos y [no se ha atascado nunca|pasa por todos los rincones]. [Muy lista.|Impresionante.]
+ Es silenciosa, puedo ver la tele mientras trabaja.
# Puffin Vacuum/neutral/parts_question
- ¿Cada cuánto se cambia [el filtro|el cepillo|la bolsa]?
- ¿Qué [bolsa|filtro] le va al modelo PV{2-4}?
+ Tiene unos {8-20} meses.
# Puffin Vacuum/neutral/use_question
- ¿Funciona sin wifi?
- ¿Puede guardar el mapa de dos plantas?
- ¿Qué producto se le puede echar al depósito para fregar?
- ¿Sube un escalón de {15-22} mm?
- ¿Cómo [borro el mapa|le pongo horario|cambio el nombre de un cuarto]?
! ¿Sirve para alfombras?
# Finch Buds/negative/connection
- El izquierdo [se desconecta cada dos por tres|deja de sonar si giro la cabeza]. [Desesperante.|Me tienen frita.]
- Desde la {version} no [emparejan|conectan] con mi {handset}. [Antes iban bien.|Lo han estropeado.]
+ Los he emparejado mil veces.
+ Costaron {price}, no son precisamente baratos.
! Se cortan. Malos.
! El izquierdo, muerto a las {3-8} semanas
# Finch Buds/negative/battery
- El estuche se descarga solo [en el bolso|de noche]. [Cada mañana, lo mismo.|Ya van tres veces.] Fatal.
- Un auricular al {80-95} % y el otro al {3-12} %. Siempre. [Un fastidio.|Qué mal hechos.]
- Prometen ocho horas y duran [dos|dos y poco]. [Mentira.|Publicidad engañosa.]
# Finch Buds/negative/calls
- Entrevista de trabajo arruinada: [no me entendían nada|eco todo el rato]. [Muchas gracias, Finch.|Qué vergüenza
  pasé.]
- Con un poco de viento [solo se oye el viento|es imposible hablar]. [Malísimos.|]
- En las llamadas [no me oye nadie|dicen que sueno como dentro de un pozo]. [Inservibles para trabajar.|Qué pena.]
# Finch Buds/negative/fit
- Me [duelen las orejas|salió una alergia] a la media hora y encima [se caen al correr|no hay talla que valga].
# Finch Buds/positive/sound
- Suenan [de lujo|increíble]. [Graves limpios|Oigo detalles que no conocía], [y a este precio|y comodísimos].
  [Encantado.|Joya.]
- Sobrevivieron a [la lavadora|una media maratón en {city}] y siguen [sonando genial|como nuevos].
+ Mi {relative} los probó y se pidió unos.
! Sonido espectacular
! Los mejores que he tenido ❤️
# Finch Buds/positive/comfort
- Orejas pequeñas y por fin unos que [no se caen|no duelen]. [¡Gracias!|Felicísima.]
- Corro, salto y [ahí siguen|ni se mueven]. [Perfectos para entrenar.|Contentísimo.]
- Ocho horas puestos y [ni me entero|cero molestias]. [Perfectos.|Los adoro.]
# Finch Buds/positive/noise_cancelling
- Vuelo a {city} con un bebé al lado y [no oí nada|dormí como un tronco]. [Benditos sean.|Los mejores.]
- En la oficina me pongo los Finch y [puedo pensar|se hace el silencio]. [Qué alivio.|Los amo.]
- La cancelación de ruido es [mágica|brutal]. Me los pongo en el metro y [desaparece el mundo|por fin leo tranquila].
# Finch Buds/neutral/pairing_question
- ¿Cómo los conecto a [dos móviles|la tele|la compu]?
- ¿Qué significa la luz [blanca|ámbar] del estuche?
+ Mi teléfono es un {handset}.
! ¿Son multipunto?
# Finch Buds/neutral/order_question
- Pedí unos el {date} ({order}) y el estado es "en preparación". ¿Es normal?
- ¿Qué resistencia al agua tienen?
- ¿Hay descuento para estudiantes?
- ¿Venden [un auricular suelto|solo el estuche|almohadillas pequeñas]? ¿Cuánto cuesta?
- ¿Cuándo vuelve el color [verde|arena]?
# Wren Watch/negative/accuracy
- Pasé el día en cama y marcó {16-28}.000 pasos. [De risa.|Inútil.]
- El GPS me pone corriendo [por el río|por dentro de los edificios] y me quita {1-3} km. [Fatal.|Un fraude.]
+ Comparado con una banda de pecho falla por {20-40} pulsaciones.
! No acierta ni una
# Wren Watch/negative/battery
- Desde la última actualización [muere antes de comer|no llega a la tarde]. [Antes duraba una semana.|Lo han
  estropeado.]
- El cargador se suelta [con mirarlo|cada noche]. [Diseño penoso.|Así no hay quien cargue nada.]
- "Diez días de batería". [Día y medio|A mediodía ya está muerto], con todo apagado. [Mentirosos.|Qué rabia.]
! La batería es una broma
# Wren Watch/negative/sync
- La sincronización [gira y gira|falla al final, siempre]. [Dos meses de datos perdidos.|Me desespera.]
- Se desconecta al bloquear el móvil y [no avisa de nada|adiós notificaciones]. [¿Para qué lo quiero?|]
- No sincroniza desde la {version} y [perdí un mes de entrenamientos|se borró todo]. [Indignado.|Lamentable.]
# Wren Watch/negative/strap
- La correa se rompió a los {2-5} meses [nadando, casi pierdo el reloj|sin hacer nada] y la garantía dice que es
  culpa mía.
# Wren Watch/positive/fitness
- Bajé {5-12} kilos desde {month} y el Wren [me animó cada día|tuvo mucho que ver]. ¡Gracias!
- Mi primera [media maratón|10K], en {city}, con los ritmos clavados. [Feliz.|Relojazo.]
! Reloj excelente
# Wren Watch/positive/sleep
- El informe del sueño me [abrió los ojos|hizo dejar el café]. [Duermo como nunca.|Qué cambio.] Gracias.
- La alarma vibra y [no despierta a mi marido|me levanto de buen humor]. [Un acierto.|Nos encanta.]
- Me avisó de un pulso irregular, fui al médico y [lo pillaron a tiempo|era verdad]. [Eternamente agradecido.|Me
  salvó.]
+ No pesa nada, duermo con él.
# Wren Watch/positive/battery
- {8-12} días sin cargarlo. [Una pasada.|Increíble.] Y encima es bonito.
# Wren Watch/neutral/feature_question
- ¿Cómo [exporto un GPX|cambio de millas a kilómetros|borro una actividad]?
- ¿Reconoce solo [la natación|el remo|las siestas]?
+ Actualicé a la {version} el {weekday}.
! ¿Guarda música?
# Wren Watch/neutral/compat_question
- ¿Se puede usar con dos teléfonos?
- ¿Transmite el pulso a un ciclocomputador?
- ¿Qué diferencia hay entre la S y la M?
- ¿La correa de la caja pequeña es de 18 o de 20 mm?
- ¿Es compatible con un {handset}?
# Kite Scooter/negative/range
- Anuncian {38-45} km y hago {10-17}. [Y peso {58-72} kilos.|Vuelvo a casa empujando.] [Estafa.|Muy mal.]
+ Una batería nueva vale {price}. Ni loco.
! No dura nada la batería
# Kite Scooter/negative/brakes
- Se rompió el cable del freno [en plena avenida|al tercer día]. [De milagro no me pasó nada.|Un peligro público.]
- Frenos que chillan y no frenan. [Escribí tres veces, nada.|¿Esperan a que alguien se mate?]
- El freno de atrás [no agarra en mojado|se soltó bajando una cuesta]. [Me podría haber matado.|Acabé en urgencias.]
+ El taller de {city} da cita para dentro de {3-6} semanas.
! Frenos peligrosos
# Kite Scooter/negative/hinge
- El cierre se abrió [en marcha|sobre los adoquines] y [me fui al suelo|casi me atropellan]. [Estoy temblando
  todavía.|]
- Se partió la pata de cabra y luego [el guardabarros|el timbre]. En {4-9} semanas. [De juguete.|Mala calidad.]
- La bisagra tiene [una grieta|holgura] a los {3-8} meses. [Da miedo subirse.|Peligrosísimo.]
# Kite Scooter/negative/app_lock
- Sin cobertura no arranca, y en mi garaje no hay cobertura. [Brillante.|¿Quién diseña esto?]
- Tras la {version} no pasa de {15-18} por hora. [Pagué por 25.|Nadie me preguntó.] [Muy enfadado.|]
- La app me bloqueó el patinete [en la estación|de madrugada] y [lo cargué a pulso hasta casa|no hubo forma].
  [Increíble.|]
# Kite Scooter/positive/ride
- Suave, silencioso y [sube cuestas sin despeinarse|se come los baches]. [Me encanta.|Diez de diez.]
- {900-2600} km y [ni una avería|las mismas ruedas]. [Muy buena compra.|Calidad.]
+ En el taller de {city} me ajustaron el freno gratis, un trato de diez.
! Divertidísimo
# Kite Scooter/positive/commute
- Del atasco al carril bici: [gano una hora al día|llego sonriendo]. [Qué invento.|Mil gracias.]
- Se pliega en un segundo y [cabe debajo de la mesa|lo subo al metro sin problema]. [Comodísimo.|Ideal.]
- Vendí [el coche|la moto]. No me arrepiento ni un segundo. [Lo mejor del año.|]
- [Una gozada.|Qué maravilla.] Voy al trabajo en {12-20} minutos y [llego de buen humor|me ahorro el atasco].
# Kite Scooter/neutral/parts_question
- ¿Qué medida de rueda lleva? ¿Hay macizas?
- ¿Hay taller en {city}?
+ Tiene {300-2000} km.
# Kite Scooter/neutral/rules_question
- ¿Es legal en {city}? ¿Hace falta casco o seguro?
- ¿Dónde descargo el certificado?
- ¿Se puede bajar la velocidad máxima?
- ¿Se puede [subir al tren|facturar en el avión]? ¿De cuántos Wh es la batería?
- ¿Cuánto peso aguanta? ¿Se puede limitar la velocidad para mi [hija|hijo]?
! ¿Necesita seguro?
# Magpie Bank/negative/login
- No puedo entrar en mi cuenta desde [el {weekday}|el {date}]. [El código no llega.|La cara no me la reconoce.]
  [¡Es mi dinero!|Una vergüenza.]
- Desde la {version} la app [se cierra sola|me echa cada dos minutos]. [Inaguantable.|Me cambio de banco.]
+ Cada vez contesta alguien distinto y hay que contarlo todo otra vez.
+ Llevo {2-6} intentos con el pasaporte en la mano, grabando vídeos.
! Otra vez no puedo entrar
# Magpie Bank/negative/card_declined
- Me bloquearon la tarjeta por comprar [un billete de tren|pañales]. [Tres días sin poder pagar.|Y nadie contesta.]
  [Indignante.|]
- La tarjeta nueva llegaba en tres días. Van {12-25}. [Vivo de prestado.|Una tomadura de pelo.]
- Me rechazaron la tarjeta [en la caja del súper|en un hotel de {city}], con saldo. [Qué bochorno.|Nadie da la cara.]
# Magpie Bank/negative/transfers
- La nómina llegó [tres|cuatro] días tarde, a mis compañeros no. [Me devolvieron el alquiler.|¿Quién paga los
  recargos?]
- Mandé dinero a mi madre y [se perdió|salió dos veces]. [Nadie sabe nada.|Angustia total.]
- Transferencia "pendiente" desde el {date}. [Salió de mi cuenta y no llegó.|¿Dónde está mi plata?]
! ¿Dónde está mi dinero?
# Magpie Bank/negative/fees
- Comisión de {fee} que [no anunciaron|apareció de la nada]. [Así roban ahora.|Me voy.]
- Dicen "sin comisiones" y el cambio es un {3-6} % peor. [Tramposos.|]
- Me cobraron {fee} por [sacar efectivo|"inactividad"] sin avisar. [Ladrones.|Letra pequeña, como todos.]
# Magpie Bank/positive/app_ease
- La mejor app de banco que he usado. [Cuenta abierta en el bus.|Todo en dos toques.] [Me encanta.|]
+ Los avisos llegan en el acto, así controlo lo que gasto.
! Fácil y rápida, genial
# Magpie Bank/positive/savings
- Redondea cada compra y [ni lo noto|ya tengo para el viaje]. [Una idea buenísima.|Me encanta.]
- Mi hija ahorra su paga con el pajarito y [está orgullosísima|aprende jugando]. [Precioso.|]
- Con los botes ahorré {price} desde {month} [sin darme cuenta|y me pagué las vacaciones]. [Qué gran idea.|]
# Magpie Bank/positive/support
- {firstname} me atendió [a las dos de la mañana|en un minuto] con una amabilidad increíble. [Gracias de
  corazón.|Un 10.]
- Me equivoqué de cuenta y [recuperaron mi dinero|lo solucionaron en una tarde]. [Agradecidísimo.|Qué tranquilidad.]
- Me robaron la tarjeta en {city}, la bloqueé al momento y [a los dos días tenía otra|me atendieron genial]. [De
  diez.|Gracias, {firstname}.]
- Detectaron un cobro raro [antes que yo|al instante] y me devolvieron todo. [Muy agradecida.|Chapó.]
# Magpie Bank/neutral/statement_question
- ¿Dónde descargo [el extracto de {month}|el certificado para la renta]?
- ¿Cómo cambio [la dirección|el PIN|el número de teléfono]?
- ¿Cuál es el límite diario de transferencias?
+ Es para un trámite.
! ¿Dónde veo mi IBAN?
# Magpie Bank/neutral/travel_question
- ¿Qué tipo de cambio aplican si pago en [dólares|pesos|libras]?
- ¿Sirve la tarjeta para la fianza de un coche de alquiler?
- ¿Hay límite diario en cajeros del extranjero?
- Viajo a [México|Japón|Marruecos] el mes que viene. ¿Tengo que avisar? ¿Cobran por sacar efectivo?
# Quail Kitchen/negative/spoiled
- El [pollo|salmón] llegó [oliendo mal|caliente]. [Directo a la basura.|Mi hija estuvo mala toda la noche.] [Nunca
  más.|]
- Faltaba [la salsa|el queso|la mitad]. [Otra vez.|¿Qué cocino ahora?]
+ Me ofrecen un cupón de {fee}. Qué burla.
! Verduras podridas. Asco.
# Quail Kitchen/negative/late_box
- Segunda semana sin caja. "Incidencia del transportista." [Y los niños sin cenar.|Qué poca seriedad.]
- La dejaron [al sol|en el portal de al lado] sin avisar. [Todo perdido.|El gato se comió el pescado.] [Harta.|]
- La caja llegó {2-3} días tarde, con [el hielo derretido|la verdura podrida]. [Para esto voy al súper.|Indignante.]
# Quail Kitchen/negative/cancel
- Para darte de baja hay que [llamar de nueve a cinco|pasar siete pantallas]. [Una trampa.|Vergonzoso.]
- Le di a "saltar" y [llegó igual|cobraron igual {box}]. [Que me lo devuelvan.|Abusivo.]
- Me di de baja el {date} y [siguen cobrando|me mandaron otra caja]. [Sinvergüenzas.|Devuélvanme mi dinero.]
! Imposible darse de baja
# Quail Kitchen/negative/price
- Sube el precio y bajan las raciones. [Nos quedamos con hambre.|Me sale mejor el restaurante.]
- "Treinta minutos", dice. [Hora y media y toda la cocina sucia.|Ja.] [No compensa.|]
- Cada vez menos comida y más cara: {box} por [dos papas y un sobre|un plato de pasta]. [Un robo.|]
# Quail Kitchen/positive/recipes
- No sabía freír un huevo y ahora hago [ramen|ñoquis|curry]. [Mi suegra repitió plato.|Estoy orgulloso.]
- Mi hijo de {5-9} años se comió [las espinacas|el brócoli] sin rechistar. ¡Milagro!
+ Guardamos las recetas y las repetimos los domingos.
! Riquísimo todo
# Quail Kitchen/positive/freshness
- Verdura [recién cogida|que huele a huerta] y pescado de primera. [Ni un fallo en tres meses.|Muy satisfechos.]
- A las {7-9} en punto, frío y bien empacado. [Así, sí.|Servicio impecable.]
- Todo [fresquísimo|en su punto], puntual y bien explicado. [Cenamos de lujo.|Encantados.]
- Llegó un huevo roto, mandé la foto y [me lo abonaron en minutos|pidieron disculpas enseguida]. [Así da gusto.|]
! Fresco y puntual 😋
# Quail Kitchen/positive/convenience
- Se acabó el "¿qué cenamos?". [Nos ha cambiado las tardes.|Una bendición con dos niños.] [Gracias.|]
- Después de mi operación fue [una salvación|de gran ayuda]: cocinar rico sin pensar. [Mil gracias.|]
# Quail Kitchen/neutral/plan_question
- ¿Cómo me salto [la semana que viene|la caja del {12-26}]?
- ¿Pueden entregar en [mi oficina|otra dirección] en {city}?
- ¿Hasta qué día puedo cambiar el menú?
+ Somos [dos|cuatro] en casa.
# Quail Kitchen/neutral/allergen_question
- ¿La pasta de curry es vegana?
- ¿Ponen las calorías por ración?
- ¿Se recicla la caja? ¿Y las bolsas de hielo?
- ¿Qué platos no llevan [frutos secos|gluten|lactosa]?
! ¿Se puede congelar el pescado?
# Plover Mobile/negative/signal
- Sin cobertura [en casa|en todo el centro de {city}] desde el {weekday}. [Pago {monthly} por nada.|Tengo que salir
  a la calle para hablar.]
- Pone 5G y [no carga ni un mensaje|va a pedales]. [Engaño.|De pena.]
+ Con otra SIM el teléfono va perfecto.
+ Prometen llamarme y no llama nadie.
! Sin señal. Pésimo.
# Plover Mobile/negative/billing
- Me di de baja en {month} y siguen facturando. [Ahora me amenazan con morosos.|Un abuso.]
- Un "pack deportes" que nunca pedí: {fee} al mes. [No hay forma de quitarlo.|Sinvergüenzas.]
- La factura pasó de {monthly} a {price} y [nadie sabe explicarlo|dicen "otros conceptos"]. [Ladrones.|Así no.]
! Me cobran de más cada mes
# Plover Mobile/negative/roaming
- Aterricé en {city} y nada, ni llamadas ni datos. [Sin taxi y con dos niños.|Viaje arruinado.] [Fatal.|]
- "Roaming incluido"... [menos donde yo iba|hasta que llega la factura]. [Estafa.|Nunca más.]
- {price} por [veinte minutos de mapas|una llamada] en {city}. El aviso llegó al día siguiente. [Un atraco.|]
# Plover Mobile/negative/switching
- El código de la eSIM [no vale|ya estaba usado] y el nuevo tarda cinco días. ¡Es un correo! [Increíble.|]
- Portaron el número equivocado. [El de mi abuela.|Contesta un desconocido.] [No tengo palabras.|Incompetentes.]
- {8-20} días sin mi número por la portabilidad. [Pierdo clientes.|Se echan la culpa unos a otros.] [Desesperada.|]
# Plover Mobile/positive/price
- {monthly} con datos ilimitados [de verdad|y sin letra pequeña]. [Muy feliz con el cambio.|Por fin.]
! Barato y va genial
# Plover Mobile/positive/coverage
- {200-600} megas [en la playa|desde la cocina]. [Vuela.|Alucinante.] [Muy contenta.|]
- En el metro, en el campo, en casa: [siempre hay señal|ni un corte]. [De lujo.|Por fin.]
- Hay señal [en el pueblo|en la sierra|hasta en el ascensor], donde antes no había nada. [¡Genial!|]
- En {city} el roaming funcionó [nada más aterrizar|sin coste extra]. [Perfecto.|Contentísimos.]
# Plover Mobile/positive/switching
- La eSIM funcionó a la primera y {firstname} [me guió con cariño|no me soltó hasta el final]. [¡Gracias!|]
- Temía el cambio y fue [coser y cantar|cosa de diez minutos]. [Encantado.|Ojalá todo fuera así.]
- Me cambié en diez minutos y [conservé mi número|sin pisar una tienda]. [Facilísimo.|Un gusto.]
+ {firstname} me ayudó por el chat, un encanto.
# Plover Mobile/neutral/esim_question
- ¿Cómo paso la eSIM a un teléfono nuevo?
- ¿Qué día se renuevan los datos?
+ El teléfono es un {handset}, libre.
! ¿Admite dos eSIM?
# Plover Mobile/neutral/plan_question
- ¿Puedo pausar la línea dos meses?
- ¿Cómo añado el número de mi hijo?
- ¿Tienen plan solo de datos para tableta?
- ¿El roaming en [Suiza|Turquía|Brasil] está incluido?
- ¿Qué diferencia hay entre el plan de {10-20} GB y el ilimitado?
"""
