//! The semantic types: their names (Faker's where it has one), what they are and what they give. Pure.

/// What a column of the type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Text, mostly different from row to row.
    Text,
    /// One of a few texts, given as a dictionary array.
    Words,
    /// Whole numbers.
    Int,
    /// Numbers with a fixed count of decimals.
    Float,
    /// True or false.
    Bool,
}

/// Which draws a type reads: columns of one table that read the same ones agree with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    /// The row's person.
    Person,
    /// The row's place.
    Place,
    /// The row's payment card.
    Card,
    /// The row's company.
    Company,
    /// Nothing: the column is on its own.
    Own,
}

/// One semantic type, for docs, for suggestions and for reading specs.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    /// The type.
    pub method: Method,
    /// Its name in specs.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// What it is, without a full stop.
    pub describes: &'static str,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
    /// What it agrees with.
    pub shares: Shares,
    /// What a column holds.
    pub output: Output,
}

/// A method name was not known; [`METHODS`] has all that are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown semantic type \"{name}\"")]
pub struct UnknownMethod {
    /// What was asked for.
    pub name: String,
}

macro_rules! methods {
    ($($shares:ident { $($variant:ident $name:literal [$($alias:literal)*] ($($parameter:literal)*) $output:ident
        $describes:literal;)* })*) => {
        /// A semantic type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Method {
            $($(#[doc = $describes] $variant,)*)*
        }

        /// All semantic types, in the order of [`Method`].
        pub static METHODS: &[MethodInfo] = &[
            $($(MethodInfo {
                method: Method::$variant,
                name: $name,
                aliases: &[$($alias,)*],
                describes: $describes,
                parameters: &[$($parameter,)*],
                shares: Shares::$shares,
                output: Output::$output,
            },)*)*
        ];
    };
}

methods! {
    Person {
        Name "name" ["full_name" "fullname" "person_name"] () Text "first and last name in the order of the country";
        FirstName "first_name" ["firstname" "given_name" "forename"] () Words "first name";
        LastName "last_name" ["lastname" "surname" "family_name"] () Words "family name";
        Initials "initials" [] () Text "initials of first and last name";
        Prefix "prefix" ["salutation" "name_prefix"] () Words "form of address that fits the person's gender";
        Suffix "suffix" ["name_suffix"] () Words "what may follow a name";
        Gender "gender" ["sex"] () Words "female or male, as the first name is";
        Age "age" [] ("min" "max") Int "age in years";
        Email "email" ["safe_email" "ascii_email" "email_address"] () Text "e-mail address that belongs to nobody";
        FreeEmail "free_email" ["ascii_free_email"] () Text "e-mail address at a large provider";
        CompanyEmail "company_email" ["ascii_company_email" "work_email"] () Text
            "e-mail address at the row's company";
        UserName "user_name" ["username" "login"] () Text "user name made of the person's name";
    }
    Place {
        Address "address" ["full_address"] () Text "whole address in one line";
        StreetAddress "street_address" [] () Text "street and house number";
        StreetName "street_name" ["street"] () Text "street";
        BuildingNumber "building_number" ["house_number"] () Text "house number";
        SecondaryAddress "secondary_address" [] () Text "flat or suite";
        City "city" ["town"] () Words "city of the country";
        State "state" ["province" "region" "administrative_unit"] () Words "state, province or region of the city";
        StateAbbr "state_abbr" ["state_code" "province_code"] () Words "short form of the state";
        Postcode "postcode" ["zipcode" "zip" "zip_code" "postal_code" "postalcode"] () Text "post code of the city";
        Country "country" ["current_country"] () Words "country of the locale";
        CountryCode "country_code" ["current_country_code"] () Words "two-letter code of the country of the locale";
        PhoneNumber "phone_number" ["phone" "telephone" "msisdn" "mobile"] () Text "telephone number of the city";
        Latitude "latitude" ["lat"] () Float "degrees north, near the city's centre";
        Longitude "longitude" ["lon" "lng"] () Float "degrees east, near the city's centre";
        Timezone "timezone" ["time_zone" "tz"] () Words "IANA time zone of the city";
        LocaleName "locale" ["locale_name"] () Words "language and country, as de_DE";
    }
    Company {
        Company "company" ["company_name" "organization" "organisation"] () Text "company name";
        CompanySuffix "company_suffix" [] () Words "legal form";
        DomainName "domain_name" ["domain"] () Text "domain of the row's company";
        DomainWord "domain_word" [] () Text "domain of the row's company without its ending";
        Hostname "hostname" ["host_name" "host"] () Text "host in the company's domain";
        Url "url" ["website" "homepage"] () Text "web site of the row's company";
        Uri "uri" ["link"] () Text "page on the company's web site";
        ImageUrl "image_url" ["avatar_url" "picture_url"] () Text "address of an image";
        CatchPhrase "catch_phrase" ["slogan" "tagline"] () Text "slogan";
        Bs "bs" ["buzzwords"] () Text "business jargon";
        Industry "industry" ["sector"] () Words "industry";
    }
    Card {
        CreditCardNumber "credit_card_number" ["credit_card"] () Text "card number with a valid Luhn digit";
        CreditCardProvider "credit_card_provider" ["card_type"] () Words "issuer of the person's card";
        CreditCardExpire "credit_card_expire" ["card_expiry"] () Text "month and year the person's card ends";
        CreditCardSecurityCode "credit_card_security_code" ["cvv" "cvc"] () Text "security code of the person's card";
    }
    Own {
        Ssn "ssn" ["tax_id" "national_id" "vat_id"] () Text "national number, in ranges not given out where known";
        LicensePlate "license_plate" ["licence_plate" "number_plate"] () Text "licence plate of the country";
        Iban "iban" [] () Text "international account number with valid check digits";
        Bban "bban" ["bank_account" "account_number"] () Text "account number as the country writes it";
        Swift "swift" ["bic" "swift11"] () Text "bank identifier";
        AnyCountry "any_country" ["world_country"] () Words "any country of the world";
        AnyCountryCode "any_country_code" ["world_country_code"] () Words "two-letter code of any country";
        Language "language" ["language_name"] () Words "language, mostly that of the locale";
        Nationality "nationality" ["citizenship"] () Words "nationality, mostly that of the locale";
        Job "job" ["job_title" "occupation" "profession"] () Words "job title";
        Department "department" [] () Words "department of a company";
        ProductName "product_name" ["product"] () Text "product";
        Category "category" ["product_category"] () Words "product category";
        Brand "brand" ["manufacturer"] () Words "invented brand";
        Material "material" [] () Words "material";
        Sku "sku" [] ("prefix") Text "stock number, such as HOME-004711";
        Ean13 "ean13" ["ean" "gtin" "barcode"] () Text "13-digit article number from the in-store range";
        Ean8 "ean8" [] () Text "8-digit article number from the in-store range";
        Isbn13 "isbn13" ["isbn"] () Text "13-digit book number";
        Isbn10 "isbn10" [] () Text "10-digit book number";
        ColorName "color_name" ["color" "colour"] () Words "colour";
        HexColor "hex_color" ["hex_colour"] () Text "colour as #rrggbb";
        RgbColor "rgb_color" [] () Text "colour as r,g,b";
        Status "status" [] () Words "status of a record";
        Rating "rating" [] () Float "1.0 to 5.0, mostly good";
        Percentage "percentage" ["percent"] () Float "0.0 to 100.0";
        Boolean "boolean" ["pybool" "flag"] () Bool "true or false";
        Word "word" [] () Words "one word";
        WordList "words" [] ("nb") Text "some words";
        Sentence "sentence" [] ("nb_words") Text "one sentence";
        Paragraph "paragraph" ["body" "review"] ("nb_sentences") Text "some sentences";
        Text "text" [] ("max_nb_chars") Text "text of limited length";
        Title "title" ["headline" "subject"] ("nb_words") Text "words with capitals";
        Slug "slug" [] ("nb_words") Text "words for an address, joined by hyphens";
        Hashtag "hashtag" [] () Text "hash sign and a word or two";
        Emoji "emoji" [] () Words "pictogram";
        Uuid4 "uuid4" ["uuid" "guid"] () Text "random UUID; never twice in one column";
        Bothify "bothify" [] ("text") Text "text with # as digit, % as digit but 0, ? as letter";
        Numerify "numerify" [] ("text") Text "text with # as digit, % as digit but 0";
        Lexify "lexify" [] ("text") Text "text with ? as letter";
        Hexify "hexify" [] ("text") Text "text with ^ as hexadecimal digit";
        Vin "vin" [] () Text "vehicle identification number with a valid check digit";
        Md5 "md5" [] () Text "32 hexadecimal digits";
        Sha1 "sha1" [] () Text "40 hexadecimal digits";
        Sha256 "sha256" [] () Text "64 hexadecimal digits";
        Password "password" [] ("length") Text "letters, digits and signs";
        PasswordHash "password_hash" ["bcrypt"] () Text "what a bcrypt hash looks like; hides no password";
        ApiKey "api_key" ["token" "secret"] () Text "what a key looks like; opens nothing";
        Version "version" ["semver"] () Text "version number";
        RandomDigit "random_digit" [] () Int "0 to 9";
        RandomInt "random_int" ["random_number"] ("min" "max") Int "whole number, 0 to 9999 unless told";
        MonthName "month_name" [] () Words "month";
        DayOfWeek "day_of_week" ["weekday"] () Words "day of the week";
        CurrencyCode "currency_code" ["currency"] () Words "currency by its ISO code";
        CurrencyName "currency_name" [] () Words "currency by its name";
        CurrencySymbol "currency_symbol" [] () Words "sign of a currency";
        Ipv4 "ipv4" ["ip" "ip_address" "ipv4_public"] () Text "public internet address";
        Ipv4Private "ipv4_private" [] () Text "private internet address";
        Ipv6 "ipv6" [] () Text "internet address, version 6";
        MacAddress "mac_address" ["mac"] () Text "hardware address, locally administered";
        UserAgent "user_agent" [] () Text "what a browser calls itself";
        UriPath "uri_path" ["path"] () Text "path of a web page";
        Tld "tld" [] () Words "end of a domain";
        HttpMethod "http_method" [] () Words "HTTP method";
        HttpStatusCode "http_status_code" [] () Int "HTTP status, mostly 200";
        PortNumber "port_number" ["port"] () Int "network port";
        FileName "file_name" ["filename"] () Text "file name with an ending";
        FilePath "file_path" ["filepath"] () Text "path of a file";
        FileExtension "file_extension" [] () Words "end of a file name";
        MimeType "mime_type" ["content_type"] () Words "media type";
    }
}

impl Method {
    /// The type called `name`, by its name or an alias; case and hyphens do not matter.
    pub fn from_name(name: &str) -> Result<Self, UnknownMethod> {
        let wanted = name.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        let is = |info: &&MethodInfo| info.name == wanted || info.aliases.contains(&wanted.as_str());
        let found = METHODS.iter().find(is).map(|info| info.method);
        found.ok_or_else(|| UnknownMethod { name: name.to_owned() })
    }

    /// All that is known about the type.
    pub fn info(self) -> &'static MethodInfo {
        &METHODS[self as usize]
    }

    /// The name in specs.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// What a column holds.
    pub fn output(self) -> Output {
        self.info().output
    }

    /// Which draws the type reads.
    pub fn shares(self) -> Shares {
        self.info().shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_means_one_type() {
        let mut names = BTreeSet::new();
        for (index, info) in METHODS.iter().enumerate() {
            assert_eq!(info.method as usize, index);
            for name in std::iter::once(&info.name).chain(info.aliases) {
                assert!(names.insert(*name), "{name} twice");
                assert_eq!(Method::from_name(name), Ok(info.method));
            }
            assert!(!info.describes.ends_with('.'));
        }
        assert!(METHODS.len() >= 60, "{}", METHODS.len());
    }

    #[test]
    fn names_are_read_as_people_write_them() {
        assert_eq!(Method::from_name("First-Name"), Ok(Method::FirstName));
        assert_eq!(Method::from_name(" ZipCode "), Ok(Method::Postcode));
        let error = Method::from_name("emial").expect_err("no such type");
        assert_eq!(error.to_string(), "unknown semantic type \"emial\"");
    }
}
