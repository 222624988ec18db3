//! Words that hold a sentence together and say nothing of what it is about.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Language;
use crate::text::analyzer::fold::with_and_without_accents;

/// The words, each with and without its accents.
pub(super) fn of(language: Language) -> &'static HashSet<String> {
    macro_rules! once {
        ($words:expr) => {{
            static WORDS: LazyLock<HashSet<String>> =
                LazyLock::new(|| $words.split_whitespace().flat_map(with_and_without_accents).collect());
            &*WORDS
        }};
    }
    match language {
        Language::Danish => once!(DANISH),
        Language::Dutch => once!(DUTCH),
        Language::English => once!(ENGLISH),
        Language::Finnish => once!(FINNISH),
        Language::French => once!(FRENCH),
        Language::German => once!(GERMAN),
        Language::Italian => once!(ITALIAN),
        Language::Norwegian => once!(NORWEGIAN),
        Language::Portuguese => once!(PORTUGUESE),
        Language::Russian => once!(RUSSIAN),
        Language::Spanish => once!(SPANISH),
        Language::Swedish => once!(SWEDISH),
    }
}

const DANISH: &str = "
    af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din disse dog du efter eller en
    end er et for fra ham han hans har havde have hende hendes her hos hun hvad hvis hvor i ikke ind jeg jer jo kunne
    man mange med meget men mig min mine mit mod ned noget nogle nu når og også om op os over på selv sig sin sine
    sit skal skulle som sådan thi til ud under var vi vil ville vor være været";

const DUTCH: &str = "
    aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge geen
    geweest haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer
    men met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u
    uit uw van veel voor want waren was wat werd wezen wie wil worden wordt zal ze zelf zich zij zijn zo zonder zou";

const ENGLISH: &str = "
    a about above after again against all am an and any are aren't as at be because been before being below between
    both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for from
    further had hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself his
    how how's i i'd i'll i'm i've if in into is isn't it it's its itself let's me more most mustn't my myself no nor
    not of off on once only or other ought our ours ourselves out over own same shan't she she'd she'll she's should
    shouldn't so some such than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've this those through to too under until up very was wasn't we we'd we'll we're we've were
    weren't what what's when when's where where's which while who who's whom why why's will with won't would wouldn't
    you you'd you'll you're you've your yours yourself yourselves";

const FINNISH: &str = "
    ei eivät emme en et ette että he heidän heidät heihin heille heillä heiltä heissä heistä heitä hän häneen hänelle
    hänellä häneltä hänen hänessä hänestä hänet häntä ja jo joka jos jotka kanssa keiden ketkä ketä koska kuin kuka
    kun me meidän meidät meihin meille meillä meiltä meissä meistä meitä mihin mikä mikään mille millä miltä minkä
    minua minulla minulle minun minussa minusta minut minuun minä missä mistä mitkä mitä mukaan mutta ne niiden
    niihin niille niillä niin niissä niistä niitä noin nuo nyt nämä näiden näissä näistä näitä ole olemme olen olet
    olette oli olimme olin olisi olisivat olit olitte olivat olla olleet ollut on ovat poikki se sekä sen siihen siinä
    siitä sille sillä siltä sinua sinulla sinulle sinun sinusta sinut sinä sitä tai te teidän teidät teihin teille
    teillä teissä teistä teitä tuo tuon tähän tälle tällä tämä tämän tässä tästä tätä vaan vai vaikka yli";

const FRENCH: &str = "
    à ai aie aient ait as au aura aurait aux avaient avait avec avez avoir avons ayant c ce ceci cela ces cet cette
    ceux chez comme d dans de des donc dont du elle elles en entre es est et étaient étais était étant été êtes être
    eu eux furent fut il ils j je l la le les leur leurs lui m ma mais me même mes moi mon n ne ni nos notre nous on
    ont ou où par pas pour qu que quel quelle quelles quels qui s sa sans se sera serait ses si soi soit sommes son
    sont sous suis sur t ta te tes toi ton tu un une vos votre vous y";

const GERMAN: &str = "
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus bei bin
    bis bist da damit dann das dass dasselbe dazu daß dein deine deinem deinen deiner dem den denn der derer dessen
    dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einig
    einige einigem einigen einiger einiges er es etwas euch euer eure eurem euren eurer für gegen hab habe haben hat
    hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist jede jedem
    jeden jeder jedes jene jenem jenen jener jenes kann kein keine keinem keinen keiner keines können könnte man
    manche manchem manchen mancher manches mein meine meinem meinen meiner meines mich mir mit muss musste nach nicht
    nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seines selbst sich sie sind so solche
    solchem solchen solcher solches soll sollte sondern sonst um und uns unser unsere unserem unseren unter viel vom
    von vor war waren warst was weg weil weiter welche welchem welchen welcher welches wenn werde werden wie wieder
    will wir wird wirst wo wollen wollte während würde würden zu zum zur zwar zwischen über";

const ITALIAN: &str = "
    a abbia abbiamo ad agli ai al alla alle allo anche avere aveva avevano avuto c che chi ci coi col come con contro
    cui d da dagli dai dal dalla dalle dallo degli dei del della delle dello di dove e è ed era erano essere fu furono
    gli ha hai hanno ho i il in io l la le lei li lo loro lui ma mi mia mie miei mio ne negli nei nel nella nelle
    nello noi non nostra nostre nostri nostro o per perché più quale quanta quante quanti quanto quella quelle quelli
    quello questa queste questi questo se sei si siamo siete sono sta stata stati stato su sua sue sugli sui sul sulla
    sulle sullo suo suoi ti tra tu tua tue tuo tuoi tutti tutto un una uno vi voi vostra vostre vostri vostro";

const NORWEGIAN: &str = "
    alle at av bare begge ble blei bli blir da de deg dei dem den denne der dere deres det dette di din disse ditt du
    dykk eg ein eit eller elles en enn er et ett etter for fordi fra før ha hadde han hans har henne hennes her hjå ho
    hun hva hvem hver hvilke hvilken hvis hvor hvordan hvorfor i ikke ikkje inn ja jeg kan kom korleis kunne kva man
    mange me med meg mellom men mi min mine mitt mot mye må ned no noe noen nå når og også om opp oss over på samme seg
    selv si siden sin sine sitt skal skulle slik som så sånn til ut uten var vart ved vere vi vil ville vår være vært
    å";

const PORTUGUESE: &str = "
    a à ao aos aquela aquelas aquele aqueles aquilo as às até com como da das de dela delas dele deles depois do dos e
    é ela elas ele eles em entre era eram essa essas esse esses esta está estamos estão estas estava estavam este
    estes estou eu foi fomos for foram há isso isto já lhe lhes mais mas me mesmo meu meus minha minhas muito na não
    nas nem no nos nós nossa nossas nosso nossos num numa o os ou para pela pelas pelo pelos por qual quando que quem
    são se seja sem ser será seu seus só somos sua suas também te tem têm temos tenho ter teu teus tinha tinham tu tua
    tuas um uma umas uns você vocês vos";

const RUSSIAN: &str = "
    а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее ей если
    есть еще же за здесь и из или им их к как ко когда кто ли либо мне может мой моя мы на над надо нас наш не него нее
    ней нет ни них но ну о об однако он она они оно от перед по под после потому при про с сам сейчас свое своего свой
    себе себя со так также такой там тебя тем то того тоже той только том тот ту тут ты у уже хотя чего чей чем что
    чтобы чье эта эти это этого этой этом этот эту я";

const SPANISH: &str = "
    a al algo algunas algunos ante antes como con contra cual cuando de del desde donde durante e el él ella ellas
    ellos en entre era eran es esa esas ese eso esos esta está estaba estaban estado están estas este esto estos estoy
    fue fueron ha había habían han has hasta hay he la las le les lo los más me mi mí mis mucho muchos muy nada ni no
    nos nosotros nuestra nuestras nuestro nuestros o os otra otras otro otros para pero poco por porque que qué quien
    quienes se sea ser será si sí sido sin sobre son soy su sus suya suyo también tanto te tengo ti tiene tienen todo
    todos tu tú tus un una uno unos vosotros vuestra vuestro y ya yo";

const SWEDISH: &str = "
    alla allt att av blev bli blir blivit de dem den denna deras dess dessa det detta dig din dina ditt du där då efter
    ej eller en er era ert ett från för ha hade han hans har henne hennes hon honom hur här i icke ingen inom inte jag
    ju kan kunde man med mellan men mig min mina mitt mot mycket ni nu när någon något några och om oss på samma sedan
    sig sin sina sitt själv skulle som så sådan till under upp ut utan vad var vara varför varit varje vars vem
    vi vid vilka vilken vilket vår våra vårt än är åt över";
