//! The Authentication messages, told apart by their first Int32.

use crate::limits::MAX_SASL_MECHANISMS;
use crate::{Malformed, Reader, writer};

const OK: u32 = 0;
const KERBEROS_V5: u32 = 2;
const CLEARTEXT_PASSWORD: u32 = 3;
const MD5_PASSWORD: u32 = 5;
const GSS: u32 = 7;
const GSS_CONTINUE: u32 = 8;
const SSPI: u32 = 9;
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// A step of the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// Logged in.
    Ok,
    /// Kerberos V5; no server has asked for it since 9.3.
    KerberosV5,
    /// The password as it is.
    CleartextPassword,
    /// The password hashed with this salt.
    Md5Password {
        /// The salt.
        salt: [u8; 4],
    },
    /// GSSAPI.
    Gss,
    /// More of GSSAPI or SSPI.
    GssContinue(&'a [u8]),
    /// SSPI.
    Sspi,
    /// SASL with one of these mechanisms, in the server's order of preference.
    Sasl {
        /// Their names; at least one.
        mechanisms: Vec<&'a str>,
    },
    /// A challenge of SASL.
    SaslContinue(&'a [u8]),
    /// The outcome of SASL, with the server's proof.
    SaslFinal(&'a [u8]),
}

impl<'a> Authentication<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let field = "Authentication.method";
        match reader.u32(field)? {
            OK => Ok(Self::Ok),
            KERBEROS_V5 => Ok(Self::KerberosV5),
            CLEARTEXT_PASSWORD => Ok(Self::CleartextPassword),
            MD5_PASSWORD => {
                let salt = reader.take_array("AuthenticationMD5Password.salt")?;
                Ok(Self::Md5Password { salt })
            }
            GSS => Ok(Self::Gss),
            GSS_CONTINUE => Ok(Self::GssContinue(reader.rest())),
            SSPI => Ok(Self::Sspi),
            SASL => mechanisms(reader).map(|mechanisms| Self::Sasl { mechanisms }),
            SASL_CONTINUE => Ok(Self::SaslContinue(reader.rest())),
            SASL_FINAL => Ok(Self::SaslFinal(reader.rest())),
            other => Err(Malformed::UnknownValue {
                field,
                value: i64::from(other),
            }),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        out.extend_from_slice(&self.method().to_be_bytes());
        match self {
            Self::Ok | Self::KerberosV5 | Self::CleartextPassword | Self::Gss | Self::Sspi => {}
            Self::Md5Password { salt } => out.extend_from_slice(salt),
            Self::GssContinue(data) | Self::SaslContinue(data) | Self::SaslFinal(data) => {
                out.extend_from_slice(data);
            }
            Self::Sasl { mechanisms } => {
                bounded(mechanisms.len())?;
                for mechanism in mechanisms {
                    if mechanism.is_empty() {
                        return Err(MISSING);
                    }
                    writer::string(out, mechanism.as_bytes(), "AuthenticationSASL.mechanism")?;
                }
                out.push(0);
            }
        }
        Ok(())
    }

    const fn method(&self) -> u32 {
        match self {
            Self::Ok => OK,
            Self::KerberosV5 => KERBEROS_V5,
            Self::CleartextPassword => CLEARTEXT_PASSWORD,
            Self::Md5Password { .. } => MD5_PASSWORD,
            Self::Gss => GSS,
            Self::GssContinue(_) => GSS_CONTINUE,
            Self::Sspi => SSPI,
            Self::Sasl { .. } => SASL,
            Self::SaslContinue(_) => SASL_CONTINUE,
            Self::SaslFinal(_) => SASL_FINAL,
        }
    }
}

const MISSING: Malformed = Malformed::Missing {
    field: "AuthenticationSASL.mechanism",
};

fn mechanisms<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Malformed> {
    let mut mechanisms = Vec::new();
    loop {
        let mechanism = reader.utf8("AuthenticationSASL.mechanism")?;
        if mechanism.is_empty() {
            break;
        }
        mechanisms.push(mechanism);
        bounded(mechanisms.len())?;
    }
    match mechanisms.len() {
        0 => Err(MISSING),
        _ => Ok(mechanisms),
    }
}

/// Between one and the most.
fn bounded(count: usize) -> Result<(), Malformed> {
    match count {
        0 => Err(MISSING),
        1..=MAX_SASL_MECHANISMS => Ok(()),
        _ => Err(Malformed::TooMany {
            field: "AuthenticationSASL.mechanisms",
            count,
            limit: MAX_SASL_MECHANISMS,
        }),
    }
}
