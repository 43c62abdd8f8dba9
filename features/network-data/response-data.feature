Feature: Klarna Network Response Data
  Klarna may answer with a string that nobody but the Partner reads. The acquirer hands it back as it is.

  @AP-12
  Scenario Outline: Reaches the Partner byte for byte: <decision>
    Given a Partner with an order of 459.00 SEK
    And Klarna will <decision>, with this Klarna Network Response Data:
      """
      {"b": 1.0, "a": "\u00e9\/", "b": 2, "text": "é 🧥 5 > 3 & so",  "list": [ ] }
      """
    When the Partner creates the payment
    Then the Klarna Network Response Data reached the Partner byte for byte

    Examples:
      | decision          |
      | approve           |
      | decline           |
      | require a step-up |
