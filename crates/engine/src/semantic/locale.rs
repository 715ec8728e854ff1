//! Locales, and from which country or city they are chosen. Pure.

use super::tables::Tables;
use std::sync::OnceLock;

/// A locale was not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown locale \"{name}\"")]
pub struct UnknownLocale {
    /// What was asked for.
    pub name: String,
}

macro_rules! locales {
    ($($variant:ident $name:literal [$($country:literal)*];)*) => {
        /// A language and the country it is spoken in: whose names, cities and formats are used.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Locale {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl Locale {
            /// All locales.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, such as `en_US`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Further names of the country this is the main locale of, folded as by `fold`.
            const fn countries(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($country,)*],)* }
            }

            /// The text of the locale's file.
            pub(super) const fn file(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("data/locales/", $name, ".txt")),)* }
            }
        }
    };
}

locales! {
    EnUs "en_US" ["us" "usa" "united states" "united states of america" "america"];
    EnGb "en_GB" ["gb" "uk" "gbr" "united kingdom" "great britain" "england" "scotland" "wales"];
    EnCa "en_CA" ["ca" "can" "canada"];
    EnAu "en_AU" ["au" "aus" "australia"];
    EnIn "en_IN" ["in" "ind" "india"];
    DeDe "de_DE" ["de" "deu" "germany" "deutschland"];
    DeAt "de_AT" ["at" "aut" "austria" "osterreich"];
    FrFr "fr_FR" ["fr" "fra" "france"];
    EsEs "es_ES" ["es" "esp" "spain" "espana"];
    EsMx "es_MX" ["mx" "mex" "mexico"];
    ItIt "it_IT" ["it" "ita" "italy" "italia"];
    NlNl "nl_NL" ["nl" "nld" "netherlands" "the netherlands" "holland" "nederland"];
    PtBr "pt_BR" ["br" "bra" "brazil" "brasil"];
    PtPt "pt_PT" ["pt" "prt" "portugal"];
    PlPl "pl_PL" ["pl" "pol" "poland" "polska"];
    RuRu "ru_RU" ["ru" "rus" "russia" "russian federation"];
    CsCz "cs_CZ" ["cz" "cze" "czechia" "czech republic" "cesko" "prague" "plzen"];
    SvSe "sv_SE" ["se" "swe" "sweden" "sverige"];
    NbNo "nb_NO" ["no" "nor" "norway" "norge" "no_no"];
    DaDk "da_DK" ["dk" "dnk" "denmark" "danmark"];
    FiFi "fi_FI" ["fi" "fin" "finland" "suomi"];
    TrTr "tr_TR" ["tr" "tur" "turkey" "turkiye"];
    JaJp "ja_JP" ["jp" "jpn" "japan"];
    ZhCn "zh_CN" ["cn" "chn" "china"];
    ZhTw "zh_TW" ["tw" "twn" "taiwan"];
    KoKr "ko_KR" ["kr" "kor" "korea" "south korea" "republic of korea"];
    ArSa "ar_SA" ["sa" "sau" "saudi arabia"];
    FaIr "fa_IR" ["ir" "irn" "iran"];
}

impl Locale {
    /// The locale called `name`: `de_DE`, `de-de`, or a language alone (`de`), which means its first country.
    pub fn from_name(name: &str) -> Result<Self, UnknownLocale> {
        let wanted = name.replace('-', "_").to_ascii_lowercase();
        let full = |locale: &&Self| locale.name().to_ascii_lowercase() == wanted;
        let language = |locale: &&Self| locale.name().split('_').next() == Some(wanted.as_str());
        let found = Self::ALL.iter().find(full).or_else(|| Self::ALL.iter().find(language));
        found.copied().ok_or_else(|| UnknownLocale { name: name.to_owned() })
    }

    /// The locale spoken at `place`: a country code or name, or a city of the locale files; else `en_US`.
    ///
    /// A city that several countries have (London, Birmingham) means the first of them in the order of this list,
    /// of those where it ranks highest.
    pub fn from_place(place: &str) -> Self {
        let wanted = super::ascii::fold(place.trim());
        let by_country = Self::ALL.iter().find(|locale| locale.countries().contains(&wanted.as_str()));
        let rank = |locale: &Self| {
            let mut cities = locale.tables().cities.iter();
            cities.position(|city| super::ascii::fold(&city.name) == wanted).map(|at| (at, *locale))
        };
        by_country.copied().or_else(|| Self::ALL.iter().filter_map(rank).min().map(|(_, l)| l)).unwrap_or(Self::EnUs)
    }

    /// The two-letter code of the country.
    pub fn country_code(self) -> &'static str {
        self.tables().code
    }

    /// The IANA time zone of the country's largest city or capital.
    pub fn timezone(self) -> &'static str {
        self.tables().timezone
    }

    /// The lists of this locale, made at first use.
    pub(super) fn tables(self) -> &'static Tables {
        static TABLES: [OnceLock<Tables>; Locale::ALL.len()] = [const { OnceLock::new() }; Locale::ALL.len()];
        TABLES[self as usize].get_or_init(|| Tables::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_of_the_reference_has_its_locale() {
        let cases = [
            ("US", "en_US"),
            ("UK", "en_GB"),
            ("GB", "en_GB"),
            ("DE", "de_DE"),
            ("FR", "fr_FR"),
            ("ES", "es_ES"),
            ("IT", "it_IT"),
            ("JP", "ja_JP"),
            ("CN", "zh_CN"),
            ("KR", "ko_KR"),
            ("BR", "pt_BR"),
            ("IN", "en_IN"),
            ("MX", "es_MX"),
            ("CA", "en_CA"),
            ("AU", "en_AU"),
            ("NL", "nl_NL"),
            ("SE", "sv_SE"),
            ("DK", "da_DK"),
            ("NO", "nb_NO"),
            ("FI", "fi_FI"),
            ("PL", "pl_PL"),
            ("RU", "ru_RU"),
            ("TR", "tr_TR"),
            ("CZ", "cs_CZ"),
            ("Prague", "cs_CZ"),
            ("Brno", "cs_CZ"),
            ("Ostrava", "cs_CZ"),
            ("Plzen", "cs_CZ"),
            ("Plzeň", "cs_CZ"),
            ("  france ", "fr_FR"),
            ("London", "en_GB"),
            ("münchen", "de_DE"),
            ("Atlantis", "en_US"),
            ("", "en_US"),
        ];
        for (place, expected) in cases {
            assert_eq!(Locale::from_place(place).name(), expected, "{place}");
        }
    }

    #[test]
    fn names_are_found_in_any_spelling() {
        for locale in Locale::ALL {
            assert_eq!(Locale::from_name(locale.name()), Ok(*locale));
        }
        assert_eq!(Locale::from_name("PT-br"), Ok(Locale::PtBr));
        assert_eq!(Locale::from_name("de"), Ok(Locale::DeDe));
        let error = Locale::from_name("xx_XX").expect_err("no such locale");
        assert_eq!(error.to_string(), "unknown locale \"xx_XX\"");
    }
}
