//! The semantic type that a column's name suggests. Pure.

use super::method::Method;

/// Endings of column names, as whole words, and what they mean. The longest that fits wins.
#[rustfmt::skip]
const ENDINGS: &[(&str, Method)] = &[
    ("email", Method::Email), ("e mail", Method::Email), ("email address", Method::Email), ("mail", Method::Email),
    ("full name", Method::Name), ("fullname", Method::Name), ("first name", Method::FirstName),
    ("firstname", Method::FirstName), ("given name", Method::FirstName), ("forename", Method::FirstName),
    ("last name", Method::LastName), ("lastname", Method::LastName), ("surname", Method::LastName),
    ("family name", Method::LastName), ("customer name", Method::Name), ("person name", Method::Name),
    ("contact name", Method::Name), ("employee name", Method::Name), ("author", Method::Name),
    ("phone", Method::PhoneNumber), ("phone number", Method::PhoneNumber), ("telephone", Method::PhoneNumber),
    ("mobile", Method::PhoneNumber), ("fax", Method::PhoneNumber), ("cell", Method::PhoneNumber),
    ("age", Method::Age), ("gender", Method::Gender), ("sex", Method::Gender), ("salutation", Method::Prefix),
    ("nationality", Method::Nationality), ("citizenship", Method::Nationality),
    ("address", Method::Address), ("street address", Method::StreetAddress), ("address line", Method::StreetAddress),
    ("street", Method::StreetAddress), ("street name", Method::StreetName), ("city", Method::City),
    ("town", Method::City), ("state", Method::State), ("province", Method::State), ("region", Method::State),
    ("state code", Method::StateAbbr), ("state abbr", Method::StateAbbr), ("country", Method::Country),
    ("country code", Method::CountryCode), ("zip", Method::Postcode), ("zipcode", Method::Postcode),
    ("zip code", Method::Postcode), ("postal code", Method::Postcode), ("postcode", Method::Postcode),
    ("post code", Method::Postcode), ("postalcode", Method::Postcode), ("latitude", Method::Latitude),
    ("lat", Method::Latitude), ("longitude", Method::Longitude), ("lon", Method::Longitude),
    ("lng", Method::Longitude), ("timezone", Method::Timezone), ("time zone", Method::Timezone),
    ("locale", Method::LocaleName), ("language", Method::Language), ("lang", Method::Language),
    ("company", Method::Company), ("company name", Method::Company), ("organization", Method::Company),
    ("organisation", Method::Company), ("employer", Method::Company), ("vendor", Method::Company),
    ("supplier", Method::Company), ("job", Method::Job), ("job title", Method::Job), ("position", Method::Job),
    ("occupation", Method::Job), ("profession", Method::Job), ("department", Method::Department),
    ("dept", Method::Department), ("industry", Method::Industry), ("sector", Method::Industry),
    ("slogan", Method::CatchPhrase), ("tagline", Method::CatchPhrase),
    ("url", Method::Url), ("website", Method::Url), ("web site", Method::Url), ("homepage", Method::Url),
    ("link", Method::Uri), ("image url", Method::ImageUrl), ("avatar url", Method::ImageUrl),
    ("picture url", Method::ImageUrl), ("photo url", Method::ImageUrl), ("thumbnail url", Method::ImageUrl),
    ("avatar", Method::ImageUrl), ("username", Method::UserName), ("user name", Method::UserName),
    ("login", Method::UserName), ("nickname", Method::UserName), ("domain", Method::DomainName),
    ("domain name", Method::DomainName), ("hostname", Method::Hostname), ("host", Method::Hostname),
    ("ip", Method::Ipv4), ("ip address", Method::Ipv4), ("ipv4", Method::Ipv4), ("ipv6", Method::Ipv6),
    ("mac address", Method::MacAddress), ("mac", Method::MacAddress), ("user agent", Method::UserAgent),
    ("useragent", Method::UserAgent), ("mime type", Method::MimeType), ("content type", Method::MimeType),
    ("file name", Method::FileName), ("filename", Method::FileName), ("file path", Method::FilePath),
    ("http method", Method::HttpMethod), ("status code", Method::HttpStatusCode),
    ("password", Method::PasswordHash), ("password hash", Method::PasswordHash), ("api key", Method::ApiKey),
    ("credit card", Method::CreditCardNumber), ("card number", Method::CreditCardNumber),
    ("credit card number", Method::CreditCardNumber), ("card type", Method::CreditCardProvider),
    ("card provider", Method::CreditCardProvider), ("card expiry", Method::CreditCardExpire),
    ("cvv", Method::CreditCardSecurityCode), ("cvc", Method::CreditCardSecurityCode),
    ("currency", Method::CurrencyCode), ("currency code", Method::CurrencyCode), ("iban", Method::Iban),
    ("bank account", Method::Bban), ("account number", Method::Bban), ("bic", Method::Swift), ("swift", Method::Swift),
    ("ssn", Method::Ssn), ("tax id", Method::Ssn), ("national id", Method::Ssn), ("vat id", Method::Ssn),
    ("title", Method::Title), ("subject", Method::Title), ("headline", Method::Title),
    ("description", Method::Paragraph), ("comment", Method::Paragraph), ("comments", Method::Paragraph),
    ("body", Method::Paragraph), ("notes", Method::Sentence), ("note", Method::Sentence), ("bio", Method::Paragraph),
    ("review", Method::Paragraph), ("message", Method::Paragraph), ("summary", Method::Paragraph),
    ("text", Method::Paragraph), ("sentence", Method::Sentence), ("paragraph", Method::Paragraph),
    ("slug", Method::Slug), ("hashtag", Method::Hashtag), ("keyword", Method::Word),
    ("uuid", Method::Uuid4), ("guid", Method::Uuid4), ("sku", Method::Sku), ("ean", Method::Ean13),
    ("gtin", Method::Ean13), ("barcode", Method::Ean13), ("upc", Method::Ean13), ("isbn", Method::Isbn13),
    ("product", Method::ProductName), ("product name", Method::ProductName), ("item name", Method::ProductName),
    ("category", Method::Category), ("product category", Method::Category), ("brand", Method::Brand),
    ("manufacturer", Method::Brand), ("material", Method::Material), ("color", Method::ColorName),
    ("colour", Method::ColorName), ("status", Method::Status), ("rating", Method::Rating), ("stars", Method::Rating),
    ("percentage", Method::Percentage), ("percent", Method::Percentage), ("pct", Method::Percentage),
    ("license plate", Method::LicensePlate), ("licence plate", Method::LicensePlate), ("vin", Method::Vin),
    ("checksum", Method::Sha256), ("sha256", Method::Sha256), ("md5", Method::Md5), ("version", Method::Version),
    ("weekday", Method::DayOfWeek), ("day of week", Method::DayOfWeek),
];

impl Method {
    /// The type that `column_name` suggests, by its last whole words: `customer_email`, `shipZipCode` and
    /// `E-mail` are understood, `rename` is not a name. Flags (`is_active`, `hasChildren`) are boolean.
    ///
    /// A bare `name` is a person's; a caller that knows the table is of products or companies should say so itself.
    pub fn infer(column_name: &str) -> Option<Self> {
        let words = parts(column_name);
        let text = words.join(" ");
        if text == "name" {
            return Some(Self::Name);
        }
        if words.len() > 1 && matches!(words[0].as_str(), "is" | "has" | "can" | "was") {
            return Some(Self::Boolean);
        }
        if text.ends_with(" id") && !text.ends_with("tax id") && !text.ends_with("vat id") && text != "national id" {
            return None;
        }
        let fits = |ending: &str| text.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '));
        let found = ENDINGS.iter().filter(|(ending, _)| fits(ending)).max_by_key(|(ending, _)| ending.len());
        found.map(|(_, method)| *method)
    }
}

/// The words of a column name, lower case: split at anything but letters and digits, and where capitals begin;
/// numbers at the end (`address2`, `phone_1`) are dropped.
fn parts(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let starts_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit() || (b.is_uppercase() && starts_lower));
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("there is always a word").extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    if words.len() > 1 && words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        words.pop();
    }
    if let Some(last) = words.last_mut()
        && !matches!(last.as_str(), "ipv4" | "ipv6" | "md5" | "sha256")
    {
        last.truncate(last.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_types() {
        let cases = [
            ("email", Method::Email),
            ("e_mail", Method::Email),
            ("E-Mail", Method::Email),
            ("customer_email", Method::Email),
            ("workEmail", Method::Email),
            ("fullname", Method::Name),
            ("full_name", Method::Name),
            ("name", Method::Name),
            ("FirstName", Method::FirstName),
            ("telephone", Method::PhoneNumber),
            ("phone_2", Method::PhoneNumber),
            ("address1", Method::Address),
            ("ShipZIPCode", Method::Postcode),
            ("zip_code", Method::Postcode),
            ("province", Method::State),
            ("image_url", Method::ImageUrl),
            ("callback_url", Method::Url),
            ("website", Method::Url),
            ("job", Method::Job),
            ("title", Method::Title),
            ("job_title", Method::Job),
            ("card_number", Method::CreditCardNumber),
            ("currency", Method::CurrencyCode),
            ("isActive", Method::Boolean),
            ("tax_id", Method::Ssn),
            ("ipv6", Method::Ipv6),
            ("user_agent", Method::UserAgent),
            ("hashed_password", Method::PasswordHash),
        ];
        for (column, expected) in cases {
            assert_eq!(Method::infer(column), Some(expected), "{column}");
        }
    }

    #[test]
    fn parts_of_words_suggest_nothing() {
        for column in ["rename", "image", "message_id", "stage", "capacity", "restated", "company_id", "x", "", "42"] {
            assert_eq!(Method::infer(column), None, "{column}");
        }
    }
}
